"""A real server on a real socket that behaves as told, and what each provider says when it says yes or no."""

import asyncio
import base64
import json
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PASS = b'{"errcode":0,"errmsg":"ok","access_token":"a-pass-for-two-hours","expires_in":7200}'


class Request:
    def __init__(self, line: str, headers: Mapping[str, str], body: bytes) -> None:
        self.line = line
        self.headers = headers
        self.body = body


class Server:
    """A real server on a real socket, scripted by path."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.sent = 0  # bytes of bodies that we could hand to the network
        self.bodies: dict[str, bytes] = {}  # what is said at "yes", "busy" and "never", each with its status below
        self.status = {"yes": "200 OK", "busy": "200 OK", "never": "200 OK"}
        self._going: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def at(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}/{path}"

    async def stop(self) -> None:
        self._server.close()
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._going.add(task)
        self.connections += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._going.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if ": " in line)
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(head[0], headers, body))
        path = head[0].split()[1].partition("?")[0].strip("/")
        if path.endswith("cgi-bin/gettoken") and path.split("/")[0] in self.bodies:
            return await self._says(writer, "200 OK", PASS)
        mode = path.split("/")[0]
        if mode in self.bodies:
            return await self._says(writer, self.status[mode], self.bodies[mode])
        return await getattr(self, f"_{mode.replace('-', '_')}")(writer)

    async def _says(self, writer: asyncio.StreamWriter, status: str, body: bytes = b"", *more: str) -> bool:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        return True

    async def _ok(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "200 OK", b'{"errcode":0}')

    async def _no_content(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "204 No Content")

    async def _accepted(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "202 Accepted")

    async def _broken(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "500 Internal Server Error", b"database is on fire")

    async def _unavailable(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "503 Service Unavailable")

    async def _too_many(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "429 Too Many Requests", b"slow down")

    async def _gone(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "404 Not Found", "没有这个机器人".encode())

    async def _forbidden(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "403 Forbidden")

    async def _garbage(self, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        await writer.drain()
        return False

    async def _login_page(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "200 OK", b"<html><title>Welcome to our hotel</title></html>")

    async def _list(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "200 OK", b"[]")

    async def _hang(self, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(3600)
        return False

    async def _reset(self, writer: asyncio.StreamWriter) -> bool:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        return False

    async def _cut(self, writer: asyncio.StreamWriter) -> bool:
        """Hangs up without a word."""
        return False

    async def _drip(self, writer: asyncio.StreamWriter) -> bool:
        """A header that never ends: each byte comes in time, the answer never does."""
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def _drip_body(self, writer: asyncio.StreamWriter) -> bool:
        """The answer is there; its body never ends."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.02)

    async def _refuses_at_length(self, writer: asyncio.StreamWriter) -> bool:
        return await self._pour(writer, "404 Not Found")

    async def _pours(self, writer: asyncio.StreamWriter) -> bool:
        return await self._pour(writer, "200 OK")

    async def _pour(self, writer: asyncio.StreamWriter, status: str) -> bool:
        size, part = 10 * 1024 * 1024, b"x" * 65_536
        writer.transport.set_write_buffer_limits(high=65_536)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode())
        while self.sent < size:
            writer.write(part)
            await writer.drain()
            self.sent += len(part)
        return True

    async def _loop(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "302 Found", b"", f"Location: {self.at('loop')}")

    async def _moved(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "308 Permanent Redirect", b"", f"Location: {self.at('ok')}")

    async def _not_modified(self, writer: asyncio.StreamWriter) -> bool:
        return await self._says(writer, "304 Not Modified")


# --------------------------------------------------------------------------- who says what


@dataclass(frozen=True)
class Said:
    """One channel, its address, and its provider's words: yes, not now, and never."""

    address: str
    yes: object
    busy: object
    never: object
    code: str  # of `never`, as it must be found in the reason
    options: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()  # what must appear in no reason and no log

    def teach(self, server: Server) -> None:
        server.bodies = {
            mode: json.dumps(getattr(self, mode), ensure_ascii=False).encode() for mode in ("yes", "busy", "never")
        }
        server.status |= self.status


def subscription() -> str:
    """What a browser hands out when it agrees to be told."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    raw = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": base64.urlsafe_b64encode(raw).decode().rstrip("="), "auth": "AAECAwQFBgcICQoLDA0ODw"}
    return json.dumps({"endpoint": "https://push.example.org/send/a-browser-of-zhang", "keys": keys})


ALIYUN = {"access_key": "LTAI-of-ours", "access_secret": "secret-of-aliyun", "template": "T_1"}
TENCENT = {"secret_id": "AKID-of-ours", "secret_key": "secret-of-tencent", "app_id": "1400000001", "template": "1110"}

PROVIDERS: dict[str, Said] = {
    "wecom": Said(
        address="11111111-2222-3333-4444-555555555555",
        yes={"errcode": 0, "errmsg": "ok"},
        busy={"errcode": 45009, "errmsg": "api freq out of limit"},
        never={"errcode": 93000, "errmsg": "invalid webhook url, 11111111-2222-3333-4444-555555555555"},
        code="93000",
        secrets=("11111111-2222",),
    ),
    "wecom_app": Said(
        address="zhangsan",
        options={"corp_id": "ww-of-ours", "agent_id": 1000002, "secret": "secret-of-wecom"},
        yes={"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "m"},
        busy={"errcode": -1, "errmsg": "system busy"},
        never={"errcode": 81013, "errmsg": "user & party & tag all invalid"},
        code="81013",
        secrets=("secret-of-wecom", "a-pass-for-two-hours"),
    ),
    "dingtalk": Said(
        address="566cc69da782ec33e42541b09b08551f SECof-ours-and-nobody-else",
        yes={"errcode": 0, "errmsg": "ok"},
        busy={"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"},
        never={"errcode": 310000, "errmsg": "sign not match"},
        code="310000",
        secrets=("566cc69da782ec33", "SECof-ours"),
    ),
    "feishu": Said(
        address="0f3e1ca0-4c2d-4b5e-9a77-000000000001 a-secret-of-feishu",
        yes={"code": 0, "msg": "success", "data": {}},
        busy={"code": 11232, "msg": "frequency limited"},
        never={"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"},
        code="19021",
        secrets=("0f3e1ca0", "a-secret-of-feishu"),
    ),
    "pushplus": Said(
        address="6bf2c0de6bf2c0de6bf2c0de6bf2c0de",
        yes={"code": 200, "msg": "请求成功", "data": "1"},
        busy={"code": 500, "msg": "系统异常，请稍后再试"},
        never={"code": 903, "msg": "无效的用户令牌"},
        code="903",
        secrets=("6bf2c0de",),
    ),
    "serverchan": Said(
        address="SCT1234Tabcdefghijklmnop",
        yes={"code": 0, "message": "", "data": {"errno": 0}},
        busy={"code": -1, "message": "稍后再试"},
        never={"code": 40001, "message": "[AUTH]错误的Key"},
        code="40001",
        status={"never": "400 Bad Request"},
        secrets=("SCT1234T",),
    ),
    "aliyun_sms": Said(
        address="13800138000",
        options={**ALIYUN, "sign_name": "守望"},
        yes={"Code": "OK", "Message": "OK", "BizId": "9006", "RequestId": "R"},
        busy={"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发分钟级流控Permits:1"},
        never={"Code": "isv.MOBILE_NUMBER_ILLEGAL", "Message": "13800138000invalid mobile number"},
        code="isv.MOBILE_NUMBER_ILLEGAL",
        secrets=("13800138000", "secret-of-aliyun"),
    ),
    "aliyun_voice": Said(
        address="057112345678",
        options=ALIYUN,
        yes={"Code": "OK", "Message": "OK", "CallId": "1^2"},
        busy={"Code": "Throttling.User", "Message": "Request was denied due to user flow control."},
        never={"Code": "SignatureDoesNotMatch", "Message": "Specified signature is not matched with our calculation."},
        code="SignatureDoesNotMatch",
        status={"busy": "400 Bad Request", "never": "400 Bad Request"},
        secrets=("057112345678", "secret-of-aliyun"),
    ),
    "tencent_sms": Said(
        address="+8613800138000",
        options={**TENCENT, "sign_name": "守望"},
        yes={"Response": {"SendStatusSet": [{"SerialNo": "5000:1", "Code": "Ok", "Message": "send success"}]}},
        busy={"Response": {"SendStatusSet": [{"Code": "LimitExceeded.DeliveryFrequencyLimit", "Message": "too fast"}]}},
        never={
            "Response": {
                "SendStatusSet": [
                    {
                        "Code": "FailedOperation.PhoneNumberInBlacklist",
                        "Message": "+8613800138000 is in the blacklist",
                        "PhoneNumber": "+8613800138000",
                    }
                ]
            }
        },
        code="FailedOperation.PhoneNumberInBlacklist",
        secrets=("13800138000", "secret-of-tencent"),
    ),
    "tencent_voice": Said(
        address="13800138000",
        options=TENCENT,
        yes={"Response": {"SendStatus": {"CallId": "c-1"}, "RequestId": "R"}},
        busy={"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": "slower"}, "RequestId": "R"}},
        never={"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "not valid"}}},
        code="AuthFailure.SignatureFailure",
        secrets=("13800138000", "secret-of-tencent"),
    ),
    "web_push": Said(
        address=subscription(),
        options={"contact": "mailto:duty@example.org"},
        yes="",
        busy="",
        never="the subscription has expired",
        code="HTTP 410",
        status={"yes": "201 Created", "busy": "429 Too Many Requests", "never": "410 Gone"},
        secrets=("a-browser-of-zhang",),
    ),
}
