"""Real servers that take InfluxDB's line protocol, each the child of its test.

Debian's InfluxDB is 1.6, which stores and answers InfluxQL but writes by `/write`: a small translator in front of it
offers the write address of InfluxDB 2. VictoriaMetrics offers that address itself and is asked in its own way.
"""

import http.server
import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from live_brokers import eventually

from gateway.child import end, spawn


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip(f"there is no {name} on this machine (apt-get install {package})")
    return found


class _Server:
    def __init__(self, command: list[str], port: int, well: str) -> None:
        self._command, self._well = command, f"http://127.0.0.1:{port}{well}"
        self._child: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._child = spawn(self._command, silent=True)
        eventually(self._answers)

    def stop(self) -> None:
        if self._child is not None:
            end(self._child, 10)
            self._child = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._well, timeout=1) as answer:
                return answer.status < 300
        except OSError:
            return False


class Influx1(_Server):
    """InfluxDB 1.6 behind the translator."""

    knows_nanoseconds = True

    def __init__(self, folder: Path) -> None:
        port, rpc = free_port(), free_port()
        settings = folder / "influx.conf"
        settings.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n'
            f'[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n'
            f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        )
        self._upstream = f"http://127.0.0.1:{port}"
        super().__init__([program("influxd", "influxdb"), "-config", str(settings)], port, "/ping")
        urllib.request.urlopen(f"{self._upstream}/query", data=b"q=CREATE DATABASE homes", timeout=10).close()
        self._translator = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _translating(self._upstream))
        threading.Thread(target=self._translator.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._translator.server_address[1]}"

    def remove(self) -> None:
        self._translator.shutdown()
        self._translator.server_close()
        self.stop()

    def count(self, kind: str) -> int:
        asked = urllib.parse.urlencode({"db": "homes", "q": f'select count(value) from "{kind}"'})
        with urllib.request.urlopen(f"{self._upstream}/query?{asked}", timeout=10) as answer:
            series = json.load(answer)["results"][0].get("series", [])
        return int(series[0]["values"][0][1]) if series else 0


def _translating(upstream: str) -> type[http.server.BaseHTTPRequestHandler]:
    class Translator(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = urllib.parse.urlsplit(self.path)
            given = dict(urllib.parse.parse_qsl(asked.query))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if asked.path != "/api/v2/write":
                self.send_error(404)
                return
            to = urllib.parse.urlencode({"db": given["bucket"], "precision": {"ns": "n"}[given["precision"]]})
            request = urllib.request.Request(f"{upstream}/write?{to}", data=body, method="POST")
            request.add_header("Content-Encoding", self.headers.get("Content-Encoding", "identity"))
            self._answer(request)

        def do_GET(self) -> None:
            self._answer(urllib.request.Request(upstream + self.path))

        def _answer(self, request: urllib.request.Request) -> None:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    status, body = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, body = error.code, error.read()
            except OSError:
                status, body = 503, b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Translator


class Victoria(_Server):
    """VictoriaMetrics: a measurement and its field are one metric there, and times are whole milliseconds."""

    knows_nanoseconds = False

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [program("victoria-metrics", "victoria-metrics"), f"-storageDataPath={folder}/data"]
        command += [f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y"]
        super().__init__([*command, "-dedup.minScrapeInterval=1ms"], port, "/health")

    def remove(self) -> None:
        self.stop()

    def count(self, kind: str) -> int:
        with urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=10):
            pass
        asked = urllib.parse.urlencode({"match[]": f"{kind}_value", "start": "0", "end": str(time.time() + 10**9)})
        with urllib.request.urlopen(f"{self.url}/api/v1/export?{asked}", timeout=10) as answer:
            return sum(len(json.loads(line)["values"]) for line in answer)


SERVERS: dict[str, Callable[[Path], Influx1 | Victoria]] = {"influxdb": Influx1, "victoria-metrics": Victoria}
