"""The lines to servers: what goes over one, what comes back, and when one is used again."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from alerts.channels.exchange import Answer, Exchange
from alerts.channels.lines import request_to, url_of
from gateway.ports import TryLater

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Scripted:
    """A server that says the next of its answers to each request, whatever it is, and hangs up where one is None."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers, self.heard, self.connections = list(answers), [], 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while heard := await reader.read(1 << 16):
            self.heard.append(heard)
            answer = self.answers.pop(0)
            writer.write(answer or b"")
            if answer is None or b"ends with the line" in answer:
                break
        writer.close()


@asynccontextmanager
async def asked_of(*answers: bytes | None) -> AsyncIterator[tuple[Scripted, Exchange, str]]:
    server, exchange = Scripted(*answers), Exchange(timedelta(seconds=5))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        yield server, exchange, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/x"
    finally:
        await exchange.close()
        listening.close()


async def test_a_request_goes_out_at_once_and_the_next_by_the_same_line():
    async with asked_of(OK, OK) as (server, exchange, where):
        for number in (b"1", b"2"):
            assert await exchange.ask(url_of(where), b"body " + number, {"X-A": "b"}) == Answer(200, b"ok")

    assert server.connections == 1
    head, _, body = server.heard[1].partition(b"\r\n\r\n")
    assert head.splitlines() == [
        b"POST /x HTTP/1.1",
        b"Host: " + where.encode().split(b"/")[2],
        b"User-Agent: shouwang",
        b"Accept: */*",
        b"Accept-Encoding: identity",
        b"X-A: b",
        b"Content-Length: 6",
    ]
    assert body == b"body 2"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nX-A: \x01\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2  \r\nok\r\n0\r\n\r\n", b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            b"ok",
        ),
        (b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok", b"ok"),
    ],
    ids=[
        "in pieces",
        "after a word before",
        "nothing",
        "lines without a return",
        "a header that goes on",
        "a stray sign",
        "spaces after a length",
        "two lengths",
        "an offer",
    ],
)
async def test_an_answer_is_read_however_it_is_told(answer, body):
    async with asked_of(answer, OK) as (server, exchange, where):
        assert (await exchange.ask(url_of(where))).body == body
        assert (await exchange.ask(url_of(where))).body == b"ok"

    assert server.connections == 1


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\n\r\nends with the line", b"HTTP/1.0 200 OK\r\n\r\nends with the line"]
)
async def test_an_answer_of_no_length_ends_with_its_line(answer):
    async with asked_of(answer, OK) as (server, exchange, where):
        assert (await exchange.ask(url_of(where))).body == b"ends with the line"
        assert (await exchange.ask(url_of(where))).body == b"ok"

    assert server.connections == 2


async def test_an_answer_cut_short_is_none():
    async with asked_of(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nends with the line") as (_, exchange, where):
        with pytest.raises(TryLater, match="no connection: the other side hung up"):
            await exchange.ask(url_of(where))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_a_server_has_not_looked_at_is_asked_of_it_again(status):
    for read in (Answer(status, b"{}").judge, Answer(status, b"{}").fields):
        with pytest.raises(TryLater, match=f"the other side is not well: HTTP {status}"):
            read()


async def test_a_second_answer_to_one_question_is_nobodys():
    async with asked_of(OK + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", OK) as (server, exchange, where):
        assert await exchange.ask(url_of(where)) == Answer(200, b"ok")
        assert await exchange.ask(url_of(where)) == Answer(200, b"ok")

    assert server.connections == 2


async def test_headers_without_end_are_not_read_for_ever():
    async with asked_of(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000) as (_, exchange, where):
        with pytest.raises(TryLater, match="no connection: the answer has no end"):
            await exchange.ask(url_of(where))


async def test_a_line_that_was_hung_up_meanwhile_is_not_used_again():
    async with asked_of(OK, OK) as (server, exchange, where):
        await exchange.ask(url_of(where))
        (line,) = next(iter(exchange._lines._kept.values()))
        line.connection_lost(None)  # as the event loop says it, whenever that is
        await exchange.ask(url_of(where))

    assert server.connections == 2


async def test_a_line_is_not_used_again_where_the_loop_has_yet_to_see_that_it_was_hung_up():
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            for _ in range(2):
                line, _ = door.accept()
                with line:
                    line.recv(1 << 16)
                    line.sendall(OK)  # and hangs up without having said so

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        exchange, where = Exchange(timedelta(seconds=5)), url_of(f"http://127.0.0.1:{door.getsockname()[1]}/x")
        await exchange.ask(where)
        time.sleep(0.1)  # the loop is busy meanwhile
        assert (await exchange.ask(where)).body == b"ok"
        await exchange.close()
        serving.join(5)


async def test_who_hangs_up_before_being_asked_is_not_waited_for():
    async with asked_of() as (_, exchange, where):
        line = await exchange._lines.to(url_of(where))
        line.connection_lost(None)
        with pytest.raises(ConnectionError, match="the other side hung up"):
            await asyncio.wait_for(line.say(b"GET / HTTP/1.1\r\n\r\n"), 2)


async def test_who_would_rather_speak_something_else_has_taken_nothing():
    async with asked_of(b"HTTP/1.1 101 No\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n") as (_, exchange, where):
        with pytest.raises(TryLater, match="no connection: no HTTP"):
            await exchange.ask(url_of(where))


async def test_where_one_address_of_a_host_leads_nowhere_the_other_is_taken(monkeypatch):
    async with asked_of(OK) as (_, exchange, where):
        port = url_of(where).port

        async def found(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            def row(kind: int, address: str) -> tuple[object, ...]:
                return kind, socket.SOCK_STREAM, 6, "", (address, port)

            return [row(socket.AF_INET6, "::1"), row(socket.AF_INET6, "::2"), row(socket.AF_INET, "127.0.0.1")]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        assert (await exchange.ask(url_of(f"http://both.example:{port}/x"))).body == b"ok"


async def test_nothing_stays_open_where_the_time_is_up_when_the_line_is_there(monkeypatch):
    async with asked_of() as (_, exchange, where):
        loop, opened = asyncio.get_running_loop(), []
        connect = loop.create_connection

        async def connected(*given: object, **more: object) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
            opened.append(await connect(*given, **more))
            loop.call_soon(asking.cancel)
            return opened[-1]

        monkeypatch.setattr(loop, "create_connection", connected)
        asking = asyncio.ensure_future(exchange.ask(url_of(where)))
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(0)

    ((transport, _),) = opened
    assert transport.is_closing()


async def test_a_header_of_two_lines_is_refused():
    with pytest.raises(ValueError, match="more than one line"):
        request_to(url_of("http://a.example"), "POST", {"Idempotency-Key": "a\r\nHost: b"}, b"")


@pytest.mark.parametrize(
    ("address", "host", "target"),
    [
        ("https://Example.org", "example.org", "/"),
        ("https://example.org:8443/a b/守?q=ü%20#part", "example.org:8443", "/a%20b/%E5%AE%88?q=%C3%BC%20"),
        ("http://守望.example/x", "xn--39s42y.example", "/x"),
        ("http://[::1]:80/x?a=b&c=d/e?f", "[::1]", "/x?a=b&c=d/e?f"),
        ("https://somebody@example.org/", "example.org", "/"),
    ],
)
def test_an_address_as_it_stands_in_a_request(address, host, target):
    url = url_of(address)

    assert (url.netloc, url.target) == (host, target)
    assert url_of(str(url)) == url


@pytest.mark.parametrize(
    "address",
    [
        "",
        "example.org",
        "ftp://a.example",
        "http://",
        "http://a b/",
        "http://a.example:99999/",
        "http://a\n/",
        "http://a..example/",
        f"http://{'a' * 64}.example/",
    ],
)
def test_what_is_no_address(address):
    with pytest.raises(ValueError, match=r"\w"):
        url_of(address)
