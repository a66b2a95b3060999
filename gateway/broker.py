"""The embedded broker: a NATS server that speaks MQTT, kept as a child, so that one command is enough.

It was chosen because what it has acknowledged survives a kill and, with `sync_interval: always`, a power cut.
Each home's hub has a user of its own that reaches `shouwang/<hub>/…` and nothing else. The configuration is
rewritten and re-read while everybody stays connected, from whichever process registers or revokes a hub.

Everything lives in `<state>/broker/`: the configuration, what the hubs may do, our own secret (all 0600), the queue.
"""

import errno
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.child import end, spawn

if TYPE_CHECKING:
    from gateway.domain.endpoint import Endpoint

# The supervisor loads this file and makes neither secrets nor nouns, nor even dataclasses, which bring along what takes
# programs apart: ten megabytes, for as long as it runs.

__all__ = [
    "GATEWAY_USER",
    "Broker",
    "BrokerError",
    "Setup",
    "check_hub",
    "copy_queue",
    "endpoint",
    "new_secret",
    "queued",
    "reload",
    "renew",
    "running",
    "setup_of",
]

GATEWAY_USER: Final = "_gateway"
"""An underscore, so that no hub can have this name."""

_HUB = re.compile(r"[a-z0-9-]{1,64}")
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")

ACK_WAIT: Final = "2s"
"""A message that we took and did not settle within this is handed over again, even while connected."""

MAX_ACK_PENDING: Final = 200
"""Unsettled messages per subscription. NATS takes an acknowledgement in no faster than it fsyncs, so with a wide window
on a slow disk they come too late for ACK_WAIT and everything is told twice; 200 pass in time down to 100 a second, and
where the disk is fast they cost no throughput. (Over the filters of one session, those ending in # counting twice, the
sum may not pass 65,535.)"""

MAX_PAYLOAD: Final = "1152KB"
"""`bridge/devices` of a large home reaches 1 MiB; the rest is slack for the topic and headers."""

LEVELS: Final = 12
LEVEL_BYTES: Final = 4096
"""How deep a hub's topic may be, and how long one of its levels; longer ones are cut, deeper topics thrown away.

NATS writes the length of a subject into sixteen bits and does not look whether it fits. A topic of 65,525 bytes, or one
of 40,000 dots, which take two bytes each, spoiled the file of what waits for us: after the next kill everything behind
it was gone, of every home. No setting limits a topic, but a mapping can cut it. (All must stay below 65,536.)"""

ROOM: Final = 4 * 1024**3
LEAST_ROOM: Final = 64 * 1024**2
DISK_RESERVE: Final = 512 * 1024**2
"""What the queue may grow by, what it gets on the fullest disk, and what it leaves to the gateway's own files. A queue
that is full to the last byte is worse than it sounds: NATS then takes no new connection, not even ours that would
empty it. So whenever room gets short it is given more (`make_room`)."""

ROOM_TO_WRITE: Final = 8 * 1024**2
"""With less than this free a broker that was started anew would soon refuse again."""

LAST_WORDS: Final = 64 * 1024
"""Of its log, what is looked through for a disk that took nothing: each refused message writes a line."""

READY_WITHIN_S: Final = 30.0
"""It is up in 30 ms; a queue of gigabytes on a slow card takes longer to read back."""


class BrokerError(Exception):
    """The broker cannot be had; the text says why and what to do, in Chinese and in English."""


# --------------------------------------------------------------------------- names and secrets


def check_hub(hub: str) -> str:
    """The hub's id if it may stand in a topic and in an access rule; a hub called `#` would own every home."""
    if not _HUB.fullmatch(hub):
        raise ValueError(
            f"集线器编号 {hub[:80]!r} 不能用：只能有 1 到 64 个小写字母、数字和连字符，不能有空格。 / "
            f"{hub[:80]!r} cannot be a hub's id: 1 to 64 of a-z, 0-9 and '-', no spaces"
        )
    return hub


def new_secret() -> tuple[str, str]:
    """A secret of 128 random bits for one hub, shown once, and the hash that the broker and the registry keep.

    The hash is cheap on purpose: nobody guesses 128 bits, and a thousand hubs reconnect at once after a power cut.
    """
    import secrets

    secret = secrets.token_urlsafe(16)
    return secret, hash_secret(secret)


def hash_secret(secret: str) -> str:
    """What the broker keeps of a secret of at least 128 bits."""
    import bcrypt

    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(rounds=4, prefix=b"2a")).decode()


# --------------------------------------------------------------------------- what stands in the state folder


class Setup(NamedTuple):
    """What the configuration is written from; kept beside it, so that any process can write it anew."""

    host: str
    port: int
    hubs: Mapping[str, str]
    cert: str = ""
    key: str = ""
    store: int = 0  # bytes that may lie in the queue

    def admits(self, hub: str, secret: str) -> bool:
        """Whether the broker would let this hub in."""
        import bcrypt

        hashed = self.hubs.get(hub)
        return hashed is not None and bcrypt.checkpw(secret.encode(), hashed.encode())


class _Folder(NamedTuple):
    """The broker's corner of the state folder."""

    path: Path

    @classmethod
    def of(cls, state_dir: Path) -> "_Folder":
        return cls(state_dir.resolve() / "broker")

    @property
    def conf(self) -> Path:
        return self.path / "nats.conf"

    @property
    def log(self) -> Path:
        return self.path / "nats.log"

    @property
    def pid_file(self) -> Path:
        return self.path / "nats.pid"

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One writer at a time, over all processes."""
        with (self.path / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def store_with_room(self) -> int:
        """What lies in the queue now and the room beyond that the disk allows."""
        return self.stored() + max(LEAST_ROOM, min(ROOM, self.free() - DISK_RESERVE))

    def free(self) -> int:
        disk = os.statvfs(self.path)
        return disk.f_bavail * disk.f_frsize

    def stored(self) -> int:
        size = 0
        for folder, _, files in os.walk(self.path / "js"):
            for name in files:
                try:
                    size += os.stat(os.path.join(folder, name)).st_size  # noqa: PTH116, PTH118 - thousands of them
                except FileNotFoundError:
                    pass  # the broker tidies up while we count
        return size

    def has_met_a_full_disk(self, pid: int) -> bool:
        """Whether this process says so in its log; those before it do not count."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - LAST_WORDS))
                lines = file.read().splitlines()
        except OSError:
            return False
        return any(line.startswith(b"[%d] " % pid) and line.endswith(b"no space left on device") for line in lines)

    def setup(self) -> Setup | None:
        try:
            return Setup(**json.loads((self.path / "setup.json").read_text()))
        except FileNotFoundError:
            return None

    def secret(self) -> tuple[str, str]:
        """The gateway's own secret and its hash, made on the first use."""
        kept = self.path / "gateway.secret"
        if not kept.exists():
            _write(kept, "\n".join(new_secret()))
        secret, hashed = kept.read_text().split("\n")
        return secret, hashed

    def write(self, setup: Setup, binary: Path) -> None:
        """Examine the new configuration, then put it in place in one step: a bad one never replaces a good one."""
        draft = self.path / "nats.conf.new"
        _write(draft, _configuration(self.path, setup, self.secret()[1]))
        verdict = subprocess.run([binary, "-t", "-c", draft], capture_output=True, text=True, check=False)
        if verdict.returncode:
            raise BrokerError(
                f"内置 MQTT 服务器不接受它的配置 {draft}。 / the embedded broker does not accept {draft}: "
                f"{(verdict.stderr or verdict.stdout).strip()[-400:]}"
            )
        draft.replace(self.conf)
        _write(self.path / "setup.json", json.dumps(setup._asdict(), indent=1))


def queued(state_dir: Path) -> int | None:
    """Bytes that lie in the queue of the broker that comes with us; None where another one is used."""
    folder = _Folder.of(state_dir)
    return folder.stored() if folder.conf.exists() else None


def _write(path: Path, text: str) -> None:
    """Write a file that only we may read, all of it or nothing of it."""
    draft = path.with_name(path.name + ".part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


# --------------------------------------------------------------------------- the configuration


def _configuration(folder: Path, setup: Setup, gateway_hash: str) -> str:
    users = [_user(GATEWAY_USER, gateway_hash, "shouwang", "shouwang-probe")]
    for hub, hashed in sorted(setup.hubs.items()):
        if not _BCRYPT.fullmatch(hashed):
            raise ValueError(f"hub {hub!r} has no bcrypt hash but {hashed[:8]!r}…; new_secret() makes one")
        users.append(_user(check_hub(hub), hashed, f"shouwang.{hub}"))
    host = f"[{setup.host}]" if ":" in setup.host else setup.host
    return "\n".join(
        [
            "# Written by Shouwang; what you change here is overwritten when a hub is added.",
            'server_name: "shouwang"',
            "# NATS' own protocol: on a random port of this machine only, and no user may use it.",
            'listen: "127.0.0.1:-1"',
            f"pid_file: {_quoted(folder / 'nats.pid')}",
            f"logfile: {_quoted(folder / 'nats.log')}",
            "logfile_size_limit: 10MB",
            "logfile_max_num: 3",
            f"max_payload: {MAX_PAYLOAD}",
            "# a gateway that pauses to tidy its files is not a broken one",
            'write_deadline: "60s"',
            "max_pending: 256MB",
            "jetstream {",
            f"  store_dir: {_quoted(folder / 'js')}",
            "  # each message is on the disk before its sender hears that it is safe",
            "  sync_interval: always",
            "  max_memory_store: 64MB",
            f"  max_file_store: {setup.store}",
            "}",
            "mqtt {",
            f'  listen: "{host}:{setup.port}"',
            f'  ack_wait: "{ACK_WAIT}"',
            f"  max_ack_pending: {MAX_ACK_PENDING}",
            *(
                [
                    "  tls {",
                    f"    cert_file: {_quoted(setup.cert)}",
                    f"    key_file: {_quoted(setup.key)}",
                    "    timeout: 10",
                    "  }",
                ]
                if setup.cert
                else []
            ),
            "}",
            "# no topic is so long that its length does not fit into NATS' files",
            "mappings {",
            *(_cut_to_length(levels) for levels in range(2, LEVELS + 1)),
            "}",
            "authorization {",
            "  timeout: 10",
            "  users: [",
            *users,
            "  ]",
            "}",
            "",
        ]
    )


def _user(name: str, hashed: str, *roots: str) -> str:
    """MQTT's `a/#` is two subjects here, `a` and `a.>`; `$MQTT.sub.>` is where NATS delivers to a subscriber."""
    subjects = ", ".join(f'"{root}", "{root}.>"' for root in roots)
    too_deep = ".".join(["shouwang", *"*" * (LEVELS - 1), ">"])
    return (
        f'    {{user: "{name}", password: "{hashed}", allowed_connection_types: ["MQTT"], permissions: {{'
        f'publish: {{allow: [{subjects}], deny: ["{too_deep}"]}}, subscribe: [{subjects}, "$MQTT.sub.>"]}}}}'
    )


def _cut_to_length(levels: int) -> str:
    said = ".".join(["shouwang", *"*" * (levels - 1)])
    kept = ".".join(["shouwang", *(f"{{{{left({level}, {LEVEL_BYTES})}}}}" for level in range(1, levels))])
    return f'  "{said}": "{kept}"'


def _quoted(path: Path | str) -> str:
    text = str(path)
    if any(c in text for c in '"\\\n'):
        raise BrokerError(f"路径里不能有引号、反斜杠或换行。 / a path with a quote, backslash or line break: {text!r}")
    return f'"{text}"'


def _binary() -> Path:
    """`NATS_SERVER` first, then the wheel's own, then PATH."""
    if asked := os.environ.get("NATS_SERVER"):
        if os.access(asked, os.X_OK):
            return Path(asked)
        raise BrokerError(
            f"NATS_SERVER 指向的 {asked} 不能执行。 / NATS_SERVER names {asked}, which cannot be executed"
        )
    ours = Path(sysconfig.get_path("scripts")) / "nats-server"
    if ours.exists():
        return ours
    from shutil import which

    if found := which("nats-server"):
        return Path(found)
    raise BrokerError(
        "这台机器没有内置 MQTT 服务器（nats-server）。请安装 mosquitto，并在配置里写上它的地址；见 docs/broker.md。 / "
        "this machine has no nats-server; install mosquitto and configure its address, see docs/broker.md"
    )


# --------------------------------------------------------------------------- the child


class Broker:
    """The broker of one state folder, as a child of this process."""

    def __init__(
        self,
        state_dir: Path,
        host: str = "127.0.0.1",
        port: int = 1883,
        hubs: Mapping[str, str] | None = None,
        *,
        cert: Path | None = None,
        key: Path | None = None,
    ) -> None:
        """`hubs` maps a hub's id to its bcrypt hash; None keeps those of the last run. Port 0 picks a free one."""
        if (cert is None) != (key is None):
            raise BrokerError("证书和私钥要一起给。 / a certificate and its key go together: 'cert' and 'key'")
        for file in filter(None, (cert, key)):
            if not os.access(file, os.R_OK):
                raise BrokerError(f"读不到 TLS 文件 {file}。 / the TLS file {file} cannot be read")
        self.state_dir = state_dir
        self.host = host
        self.port = port
        self._hubs = hubs
        self._tls = (str(cert.resolve()), str(key.resolve())) if cert and key else ("", "")
        self._folder = _Folder.of(state_dir)
        self._child: subprocess.Popen[bytes] | None = None
        self._was_ready = False  # with the configuration as it stands

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    def write_config(self) -> None:
        """Write the configuration from what we were given; port 0 becomes the port of the last run, or a free one."""
        self._folder.make()
        with self._folder.alone():
            last = self._folder.setup()
            if self.port == 0:
                self.port = last.port if last and last.host == self.host and _free(self.host, last.port) else 0
            if self.port == 0:
                self.port = _free_port(self.host)
            hubs = dict(self._hubs) if self._hubs is not None else (last.hubs if last else {})
            self._hubs = None  # from now on the file is the truth: others add hubs to it
            self._folder.write(
                Setup(
                    host=self.host,
                    port=self.port,
                    cert=self._tls[0],
                    key=self._tls[1],
                    store=self._folder.store_with_room(),
                    hubs=hubs,
                ),
                _binary(),
            )

    def start(self) -> None:
        """Start it and wait until it takes connections. Call it from the main thread (see `child.spawn`)."""
        binary = _binary()
        if other := running(self.state_dir):
            raise BrokerError(
                f"数据目录 {self.state_dir} 的 MQTT 服务器已经在运行（进程 {other}）。请先停掉另一个守望。 / "
                f"the broker of {self.state_dir} is running already (process {other}); stop the other Shouwang first"
            )
        if self.port:
            _must_be_free(self.host, self.port)
        if not self._was_ready:  # what has run is started again as it stands: to examine it takes longer than to start
            self.write_config()
        self._was_ready = False
        self._child = spawn([binary, "-c", self._folder.conf], silent=True)
        self.wait_ready()
        self._was_ready = True

    def wait_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Return when *this child* listens on the port; raise when it fell or took too long."""
        assert self._child is not None, "start() comes first"
        until = time.monotonic() + within_s
        while not _listens(self._child.pid, self.port):
            if self._child.poll() is not None:
                raise BrokerError(
                    f"内置 MQTT 服务器没能启动（端口 {self.port}）。 / the embedded broker did not start "
                    f"(port {self.port}); the end of {self._folder.log}: {self._last_words()}"
                )
            if time.monotonic() > until:
                self.stop()
                raise BrokerError(
                    f"内置 MQTT 服务器 {within_s:.0f} 秒还没有就绪。 / the embedded broker was not ready within "
                    f"{within_s:.0f} s; see {self._folder.log}"
                )
            time.sleep(0.01)

    def fallen(self) -> int | None:
        """Its exit code when it has ended; None while it runs or before it was started."""
        return self._child.poll() if self._child else None

    def make_room(self) -> bool:
        """Let the queue grow where it is nearly full; True when it was, for then nobody takes what it keeps.

        Call it now and then while the broker runs.
        """
        with self._folder.alone():
            setup = self._folder.setup()
            if setup is None or setup.store - self._folder.stored() > LEAST_ROOM // 2:
                return False
            self._folder.write(setup._replace(store=self._folder.store_with_room()), _binary())
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(signal.SIGHUP)
            return True

    def mend(self) -> bool:
        """End it when its disk once took nothing and has room again, for by itself it would go on refusing whatever is
        published; True when it was. It is then started anew like one that fell.

        Call it now and then while the broker runs: the disk may have been full and empty again while no gateway was.
        """
        if self._child is None or self._folder.free() < ROOM_TO_WRITE:
            return False
        return self._folder.has_met_a_full_disk(self._child.pid) and renew(self.state_dir)

    def stop(self, within_s: float = 5.0) -> None:
        """Ask, then insist. Nothing acknowledged is lost either way."""
        if self._child is None:
            return
        end(self._child, within_s)
        self._child, self._was_ready = None, False

    def endpoint(self) -> "Endpoint":
        """Where the gateway itself connects."""
        return endpoint(self.state_dir)

    def _last_words(self) -> str:
        try:
            lines = self._folder.log.read_text(errors="replace").splitlines()
        except OSError:
            return "(no log)"
        return " | ".join([line for line in lines if "[FTL]" in line or "[ERR]" in line][-3:] or lines[-3:])


# --------------------------------------------------------------------------- from any process


def endpoint(state_dir: Path) -> "Endpoint":
    """Where the broker of this state folder listens, with the gateway's own name and secret."""
    from gateway.domain.endpoint import Endpoint

    folder, setup = _Folder.of(state_dir), setup_of(state_dir)
    local = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read here, not bound
    return Endpoint(
        host=local.get(setup.host, setup.host),
        port=setup.port,
        username=GATEWAY_USER,
        password=folder.secret()[0],
        tls=bool(setup.cert),
        ca=Path(setup.cert) if setup.cert else None,
        check_name=False,
    )


def setup_of(state_dir: Path) -> Setup:
    """Where the broker of this state folder listens, and whom it lets in."""
    setup = _Folder.of(state_dir).setup()
    if setup is None:
        raise BrokerError(
            f"数据目录 {state_dir} 里还没有内置 MQTT 服务器；先运行一次 shouwang run。 / "
            f"there is no embedded broker in {state_dir} yet; `shouwang run` makes it"
        )
    return setup


def reload(state_dir: Path, hubs: Mapping[str, str]) -> bool:
    """Let exactly these hubs in (id -> bcrypt hash). Nobody else is disturbed; a hub that was taken out is cut off.

    True when a running broker was told, False when none runs and the next start will know.
    """
    folder = _Folder.of(state_dir)
    folder.make()
    with folder.alone():
        setup = folder.setup()
        if setup is None:
            raise BrokerError(
                f"数据目录 {state_dir} 里还没有内置 MQTT 服务器。 / no embedded broker in {state_dir} yet"
            )
        if setup.hubs != dict(hubs):
            folder.write(setup._replace(hubs=dict(hubs)), _binary())
        pid = running(state_dir)
        if pid is not None:
            os.kill(pid, signal.SIGHUP)
        return pid is not None


def renew(state_dir: Path) -> bool:
    """End a running broker, so that whoever keeps it starts it anew on its queue; True when there was one.

    NATS that could once not write to its disk goes on refusing what is published, also when there is room again.
    """
    pid = running(state_dir)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)  # it loses nothing by it, and might wait for its disk otherwise
    return pid is not None


def copy_queue(state_dir: Path, copy: Path) -> None:
    """Of a broker that has ended, into another state folder; OSError where there is no room for it."""
    import shutil

    folder, to = _Folder.of(state_dir), _Folder.of(copy)
    if folder.stored() > to.free() // 2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(to.path))
    shutil.copytree(folder.path / "js", to.path / "js")


def is_set_up(state_dir: Path) -> bool:
    """Whether an embedded broker was ever made in this state folder."""
    return _Folder.of(state_dir).setup() is not None


def running(state_dir: Path) -> int | None:
    """The process id of this folder's broker, after making sure that it is one: ids are used again by strangers."""
    folder = _Folder.of(state_dir)
    try:
        pid = int(folder.pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(folder.conf) in command else None


# --------------------------------------------------------------------------- ports


def _must_be_free(host: str, port: int) -> None:
    """Raise a sentence that says who sits on the port."""
    try:
        _bind(host, port)
    except PermissionError:
        raise BrokerError(
            f"没有权限使用端口 {port}；请换一个 1024 以上的端口。 / "
            f"port {port} needs privileges we do not have; choose one above 1023"
        ) from None
    except socket.gaierror:
        raise BrokerError(f"不认识地址 {host!r}。 / {host!r} is not an address of this machine") from None
    except OSError as error:
        if error.errno not in (98, 48):  # EADDRINUSE on Linux, on the BSDs
            raise BrokerError(f"无法监听 {host}:{port}。 / cannot listen on {host}:{port}: {error.strerror}") from None
        who = _owner(port)
        raise BrokerError(
            f"端口 {port} 已被{f'进程 {who}' if who else '另一个程序'}占用。请停掉它，或在配置里换一个端口"
            f"（0 表示自动挑选），或把那个 MQTT 服务器的地址写进配置。 / "
            f"port {port} is taken by {f'process {who}' if who else 'another program'}. Stop it, configure another "
            f"port (0 picks a free one), or, if it is an MQTT broker, configure its address as the broker to use"
        ) from None


def _bind(host: str, port: int) -> int:
    """Bind as the broker would and let go again; the port we were given."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, proto) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)
        return int(probe.getsockname()[1])


def _free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def _free_port(host: str) -> int:
    try:
        return _bind(host, 0)
    except OSError as error:
        raise BrokerError(f"无法监听 {host}。 / cannot listen on {host}: {error}") from None


def _listeners(port: int) -> set[str]:
    """The inodes of the sockets that listen on this port."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            cells = row.split()
            if cells[3] == "0A" and int(cells[1].rsplit(":", 1)[1], 16) == port:  # 0A is LISTEN
                found.add(f"socket:[{cells[9]}]")
    return found


def _holds(pid: int, inodes: set[str]) -> bool:
    try:
        return any(str(fd.readlink()) in inodes for fd in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # it ended meanwhile, or it is not ours to look into


def _listens(pid: int, port: int) -> bool:
    return _holds(pid, _listeners(port))


def _owner(port: int) -> str:
    """`1234 (mosquitto)`, or "" when it cannot be known: other people's processes hide their sockets."""
    inodes = _listeners(port)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _holds(int(entry.name), inodes):
            try:
                return f"{entry.name} ({(entry / 'comm').read_text().strip()})"
            except OSError:
                return ""
    return ""
