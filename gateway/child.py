"""Child processes that cannot outlive us."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1

_FRUGAL = {"MALLOC_ARENA_MAX": "1"}
"""The C library keeps memory in reserve for each thread, of which one at a time runs Python: 6 MB of the gateway."""


def spawn(command: Sequence[str | Path], *, silent: bool = False) -> "subprocess.Popen[bytes]":
    """Start a child that the kernel kills when we are gone, even when we were killed ourselves.

    The kernel watches the *thread* that forked, so call this from the main thread. The child has a process group of
    its own: a Ctrl-C at the terminal reaches only us, and we decide who stops first.
    """
    output = subprocess.DEVNULL if silent else None
    parent = os.getpid()
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**_FRUGAL, **os.environ},
        process_group=0,
        preexec_fn=lambda: _between_fork_and_exec(parent),
    )


def _between_fork_and_exec(parent: int) -> None:
    # KILL, not TERM: both children lose nothing by it, and one that lingered would hold port and files.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # we were gone before the child could ask
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])  # a supervisor that waits for its signals has blocked them


def end(child: "subprocess.Popen[bytes]", within_s: float) -> None:
    """Ask it to end, wait, insist."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(within_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def last_words(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"it ended with code {code}"
    try:
        return f"it was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"it was ended by signal {-code}"
