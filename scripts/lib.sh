# What the scripts share: where the house stands, and how they ask Debian for something. Sourced, not run.

house=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf 'shouwang: %s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# as_root COMMAND...: fails when there is no way to become root without a question.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null && sudo -n "$@"
  fi
}

# Whether the scripts may ask apt-get; SHOUWANG_NO_APT=1 keeps their hands off the system.
may_apt() { [ -z "${SHOUWANG_NO_APT:-}" ] && command -v apt-get >/dev/null && as_root true 2>/dev/null; }

# apt_install PACKAGE...: true when they are there afterwards.
apt_install() {
  may_apt || return 1
  local log install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@")
  log=$(mktemp)
  say "installing $* with apt-get …"
  # The lists of a fresh machine are empty or old, so a first failure asks for new ones.
  if as_root "${install[@]}" </dev/null >"$log" 2>&1 ||
    { as_root apt-get update -q </dev/null >"$log" 2>&1 && as_root "${install[@]}" </dev/null >"$log" 2>&1; }; then
    rm -f "$log"
    return 0
  fi
  say "apt-get could not install $*:"
  tail -n 5 "$log" >&2
  rm -f "$log"
  return 1
}
