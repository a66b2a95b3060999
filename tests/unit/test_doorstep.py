"""What lies ready is written to the line at once; who asks sees no difference, and answers come in their order."""

import asyncio
import socket
import threading

import pytest
import uvicorn
from test_api import Program
from walled_house import Walled

from dashboard.keys import revoke
from gateway.doorstep import Doorstep

HOME = "GET /api/v1/homes/h1"


class Line:
    """A connection to the pages on which one can ask before an answer has come; `handed_out` is what lay ready."""

    def __init__(self, rig, where):
        self.program, self.handed_out = Program(rig), []
        self.socket = socket.create_connection(where, 20)
        self.answers = self.socket.makefile("rb")
        hatch = rig.app.hatch
        lies_ready = hatch.lies_ready

        def watched(scope):
            body = lies_ready(scope)
            self.handed_out.append(body)
            return body

        hatch.lies_ready = watched

    def ask(self, *requests, more=""):
        """Send them in one piece; the status, head and body of each answer as they come."""
        sign = f"Host: here\r\nAuthorization: Bearer {self.program.secret}\r\n{more}"
        self.socket.sendall("".join(f"{one} HTTP/1.1\r\n{sign}\r\n" for one in requests).encode())
        return [self._answer() for _ in requests]

    def _answer(self):
        status = int(self.answers.readline().split()[1])
        head = dict(line.decode().strip().lower().split(": ", 1) for line in iter(self.answers.readline, b"\r\n"))
        return status, head, self.answers.read(int(head["content-length"]))


@pytest.fixture
def looks():
    """What is seen of the road at each look; nothing any more, then nothing is on it."""
    return []


@pytest.fixture
def rig(looks):
    return Walled(more={"is_busy": lambda: bool(looks) and looks.pop()})


@pytest.fixture
def line(rig):
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = uvicorn.Server(uvicorn.Config(rig.app, log_config=None, access_log=False, http=Doorstep))
        serving = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[door])))
        serving.start()
        line = Line(rig, door.getsockname())
        with line.socket, line.answers:
            yield line
            server.should_exit = True
            serving.join(20)
            assert not serving.is_alive(), "a connection at rest kept the server from stopping"


def test_the_answer_is_the_one_that_is_given_in_the_ordinary_way(line):
    ((_, head, body),), ((status, again, same),) = line.ask(HOME), line.ask(HOME)

    assert line.handed_out == [None, body] and body == same and status == 200
    for named in ("date", "server"):
        assert head.pop(named) and again.pop(named)
    assert head == again and head["cache-control"] == "no-store"


def test_what_is_asked_in_one_piece_is_answered_in_its_order(line):
    line.ask(HOME)
    told = line.ask(HOME, "GET /api/v1/homes/h9", *[HOME] * 100, "GET /api/v1/homes", HOME)

    assert [status for status, _, _ in told] == [200, 404, *[200] * 102]
    assert told[0][2] == told[50][2] == told[-1][2] != told[-2][2]


def test_a_token_that_was_withdrawn_opens_nothing_from_the_next_request_on(rig, line):
    line.ask(HOME)
    assert line.ask(HOME)[0][0] == 200 and line.handed_out[-1]
    revoke(rig.accounts, line.program.token.id, rig.clock.now())

    assert line.ask(HOME)[0][0] == 401


def test_while_something_is_on_the_road_and_where_the_line_is_to_be_closed_it_goes_the_ordinary_way(line, looks):
    line.ask(HOME)
    looks += [True] * 4
    assert line.ask(HOME)[0][0] == 200 and not looks
    (_, head, _), *_ = line.ask(HOME, more="Connection: close\r\n")

    assert not any(line.handed_out) and head["connection"] == "close"
    assert line.answers.read() == b""


def test_what_falls_is_answered_and_the_line_goes_on(rig, line, caplog):
    line.ask(HOME)
    rig.app.hatch.lies_ready = lambda scope: 1 // 0

    assert [status for status, _, _ in line.ask(HOME, HOME)] == [200, 200]
    assert "ZeroDivisionError" in caplog.text
