"""A webhook in a mood: it refuses, hangs, resets, drips, answers with ten megabytes, or sends round in a circle.

What it said yes to is logged as by `traffic.Sink`; what it only heard is not, for a caller cannot know of it.
"""

import asyncio
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

MOODS = ("500", "429", "hang", "reset", "drip", "redirect", "huge", "tls")
"""All but the last can change from call to call. `tls`: the calls come to a certificate that nobody has signed."""

HUGE = 10 * 1024**2
DRIP_S = 0.5


class Moody:
    """`with Moody(folder) as sink:` listens on `sink.port`; `sink.mood` may be changed at any moment, "" is a yes."""

    def __init__(self, folder: Path, mood: str = "") -> None:
        self.calls: list[tuple[int, str]] = []
        self.mood, self.tried = mood, 0
        self._context = _unsigned(folder) if mood == "tls" else None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"
        self._ending: asyncio.Event | None = None
        self._is_open = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> "Moody":
        self._thread.start()
        self._is_open.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._answer, sock=self._listener, ssl=self._context)
        self._is_open.set()
        await self._ending.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller has had enough, or the bench has
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        body = (await reader.readexactly(length)).decode().replace("\n", " ")
        self.tried += 1
        match self.mood:
            case "500" | "429":
                writer.write(f"HTTP/1.1 {self.mood} No\r\nContent-Length: 2\r\n\r\nno".encode())
            case "hang":
                await asyncio.sleep(3600)
            case "reset":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                return False
            case "drip":
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(DRIP_S)
            case "redirect":
                writer.write(f"HTTP/1.1 302 There\r\nLocation: {self.url}/\r\nContent-Length: 0\r\n\r\n".encode())
            case "huge":
                self.calls.append((time.monotonic_ns(), body))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % HUGE + b"x" * HUGE)
            case _:
                self.calls.append((time.monotonic_ns(), body))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        return True


def _unsigned(folder: Path) -> ssl.SSLContext:
    made = folder / "unsigned.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=nobody"]
    subprocess.run([*words, "-keyout", made, "-out", made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made)
    return context
