"""What the machine says about itself and about our children: time used, memory held, how fast the disk answers."""

import fcntl
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

BENCH = Path(__file__).parent
ROOT = BENCH.parent
STATE = BENCH / "state"
"""Caches that may be deleted at any time: Node-RED as installed, results, the folders of runs."""

_TICK = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The measurement cannot be made, or what was measured is not what was meant; the text says which."""


def build() -> Path:
    """Compile the C parts; where they are."""
    if shutil.which("cc") is None or shutil.which("make") is None:
        raise BenchError("the load generator is C: install a compiler and make (apt-get install gcc make libc6-dev)")
    made = subprocess.run(["make", "-s", "-C", str(BENCH)], capture_output=True, text=True)
    if made.returncode:
        raise BenchError(f"the load generator does not compile:\n{made.stderr}")
    return BENCH / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what: str, true, within_s: float, every_s: float = 0.02) -> None:
    """Wait for `true()`; falls with `what` when it does not come."""
    until = time.monotonic() + within_s
    while not true():
        if time.monotonic() > until:
            raise BenchError(f"{what}: not within {within_s:.0f} s")
        time.sleep(every_s)


# --------------------------------------------------------------------------- disks that fail

TMPFS = "192m"
CARD = 320 * 1024**2

EXT4_SHUTDOWN, WITHOUT_FLUSHING = 0x8004587D, 2
"""An ioctl of the kernel's, made for just this (`FS_IOC_SHUTDOWN`)."""


def card(folder: Path) -> Path:
    """A file with ext4 in it."""
    chip = folder / "card"
    with chip.open("wb") as file:
        file.truncate(CARD)
    subprocess.run(["mkfs.ext4", "-q", chip], check=True)
    return chip


def mount(at: Path, chip: Path | None) -> None:
    """It, or where there is none a small tmpfs. Wants root."""
    where = ("-t", "tmpfs", "-o", f"size={TMPFS},mode=0700", "none")
    subprocess.run(["mount", *(where if chip is None else ("-o", "loop,errors=remount-ro", chip)), at], check=True)


def wear_out(mounted: Path) -> None:
    """The kernel gives the disk up, as it does with a worn-out card: one can only read it until it is mended."""
    found = subprocess.run(["findmnt", "-no", "SOURCE", mounted], check=True, capture_output=True, text=True)
    Path(f"/sys/fs/ext4/{Path(found.stdout.strip()).name}/trigger_fs_error").write_text("worn out")


def lose_power(mounted: Path) -> None:
    """From now on nothing reaches the disk, and what had not reached it is gone: ext4 ends without writing down what it
    had in memory, neither files nor its journal. Mounted again it stands as after a pulled plug."""
    folder = os.open(mounted, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, EXT4_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
    finally:
        os.close(folder)


def mend(mounted: Path, chip: Path) -> None:
    """What a person does: nothing uses it any more, its files are put in order, and it is there again."""
    subprocess.run(["umount", mounted], check=True)
    subprocess.run(["e2fsck", "-fy", chip], capture_output=True)  # that it has mended something is a failure to it
    mount(mounted, chip)


# --------------------------------------------------------------------------- children


def tree(pid: int) -> list[int]:
    """The process and all its descendants that are alive now."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it ended while we looked
            if fields[0] != "Z":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, at = [pid], 0
    while at < len(found):
        found.extend(parents.get(found[at], ()))
        at += 1
    return found


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def cpu_s(pids: Iterable[int]) -> float:
    """User and system seconds of these processes, their ended children included."""
    used = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        used += sum(int(fields[i]) for i in (11, 12, 13, 14))
    return used / _TICK


def rss_mb(pids: Iterable[int]) -> float:
    """Resident memory, each process counted whole: what `ps` shows, shared pages twice."""
    return sum(_status_kb(pid, "status", "VmRSS:") for pid in pids) / 1024


def anon_mb(pid: int) -> float:
    """Resident memory of its own: what is mapped from files left out, which would come free by itself."""
    return _status_kb(pid, "status", "RssAnon:") / 1024


def pss_mb(pids: Iterable[int]) -> float:
    """Resident memory, shared pages divided among those who share them: what would come free."""
    return sum(_status_kb(pid, "smaps_rollup", "Pss:") for pid in pids) / 1024


def _status_kb(pid: int, file: str, key: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(key)), 0)


def end(child: subprocess.Popen, within_s: float = 10) -> None:
    """Ask it to end, wait, insist. Only ever called on a child that we started."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(within_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def start(args: list, log: Path, **options) -> subprocess.Popen:
    """Start a child in a group of its own with its words in a file."""
    with log.open("ab") as words:
        return subprocess.Popen(
            [str(a) for a in args],
            stdout=options.pop("stdout", words),
            stderr=words,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            process_group=0,
            **options,
        )


def fall_in_order() -> None:
    """Let SIGTERM unwind us as Ctrl-C does, so that nothing that we started is left behind."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


# --------------------------------------------------------------------------- the disk, the name


def fsync_ms(folder: Path, times: int = 100) -> tuple[float, float]:
    """(p50, p99) of writing 4 KiB and waiting until it is on the disk under `folder`."""
    took = []
    path = folder / "fsync-probe"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        for at in range(times):
            os.pwrite(handle, b"\0" * 4096, at * 4096)
            began = time.perf_counter_ns()
            os.fdatasync(handle)
            took.append((time.perf_counter_ns() - began) / 1e6)
    finally:
        os.close(handle)
        path.unlink()
    took.sort()
    return took[len(took) // 2], took[int(len(took) * 0.99)]


def describe() -> dict[str, str]:
    """What a reader needs to compare these figures with his own."""
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    system = next((line.split("=", 1)[1].strip('"') for line in _lines("/etc/os-release") if "PRETTY" in line), "")
    said = {
        "cpu": f"{os.cpu_count()} x {cpu}",
        "memory": f"{memory / 1024 / 1024:.0f} GiB",
        "system": f"{system}, Linux {platform.release()}",
        "python": platform.python_version(),
        "load average at the start": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }
    for name, args in {"mosquitto": ["mosquitto", "-h"], "node": ["node", "--version"]}.items():
        if shutil.which(name):
            said[name] = subprocess.run(args, capture_output=True, text=True).stdout.splitlines()[0]
    return said


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def python() -> str:
    return sys.executable
