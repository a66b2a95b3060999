"""Proofs of who sends a message, against examples that the providers publish, and against second derivations."""

import base64
import subprocess
from datetime import UTC, datetime

import pytest

from alerts.channels import aliyun, dingtalk, feishu, tencent

NIGHT = datetime(2026, 2, 17, 3, 0, tzinfo=UTC)


def by_openssl(text: bytes, key: str) -> bytes:
    """The same HMAC by somebody else's program."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", key, "-binary"]
    try:
        return subprocess.run(command, input=text, capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("openssl is not installed")


def digest(text: bytes) -> str:
    return subprocess.run(["sha256sum"], input=text, capture_output=True, check=True).stdout.decode().split()[0]


def in_hex(text: str) -> str:
    return f"hexkey:{text.encode().hex()}"


def test_aliyun_signs_the_example_of_its_manual():
    headers = aliyun.sign(
        "YourAccessKeyId",
        "YourAccessKeySecret",
        host="ecs.cn-shanghai.aliyuncs.com",
        action="RunInstances",
        version="2014-05-26",
        query={"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )

    assert headers["x-acs-date"] == "2023-10-26T10:22:32Z"
    assert headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_aliyun_signs_chinese_words_as_they_are_sent():
    query = {"SignName": "守望", "TemplateParam": '{"home":"A-0312","what":"紧急呼叫","time":"03:00"}'}
    headers = aliyun.sign(
        "k", "s", host="h:1", action="SendSms", version="2017-05-25", query=query, at=NIGHT, nonce="n"
    )

    written = (
        "SignName=%E5%AE%88%E6%9C%9B&TemplateParam=%7B%22home%22%3A%22A-0312%22%2C%22what%22%3A%22"
        "%E7%B4%A7%E6%80%A5%E5%91%BC%E5%8F%AB%22%2C%22time%22%3A%2203%3A00%22%7D"
    )
    assert aliyun.canonical(query) == written
    request = "\n".join(
        [
            "POST",
            "/",
            written,
            "host:h:1",
            "x-acs-action:SendSms",
            f"x-acs-content-sha256:{digest(b'')}",
            "x-acs-date:2026-02-17T03:00:00Z",
            "x-acs-signature-nonce:n",
            "x-acs-version:2017-05-25",
            "",
            "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version",
            digest(b""),
        ]
    )
    proof = by_openssl(f"ACS3-HMAC-SHA256\n{digest(request.encode())}".encode(), in_hex("s"))
    assert headers["Authorization"].endswith(f"Signature={proof.hex()}")


EXAMPLE = b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'


def test_tencent_signs_the_example_of_its_manual():
    headers = tencent.sign(
        "AKID********************************",
        "********************************",  # in the manual too
        host="cvm.tencentcloudapi.com",
        service="cvm",
        action="DescribeInstances",
        body=EXAMPLE,
        at=datetime.fromtimestamp(1551113065, UTC),
    )

    assert headers["X-TC-Timestamp"] == "1551113065"
    assert headers["Authorization"] == (
        "TC3-HMAC-SHA256 Credential=AKID********************************/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )


def test_tencent_counts_the_day_in_utc():
    """03:00 in Shanghai is the day before where the signature is checked."""
    before_dawn = datetime.fromisoformat("2026-02-17T03:00:00+08:00")
    headers = tencent.sign("i", "k", host="h", service="sms", action="SendSms", body=b"{}", at=before_dawn)

    lines = "content-type:application/json; charset=utf-8\nhost:h\nx-tc-action:sendsms\n"
    request = f"POST\n/\n\n{lines}\ncontent-type;host;x-tc-action\n{digest(b'{}')}"
    text = f"TC3-HMAC-SHA256\n1771268400\n2026-02-16/sms/tc3_request\n{digest(request.encode())}"
    key = by_openssl(b"2026-02-16", in_hex("TC3k"))
    for part in (b"sms", b"tc3_request", text.encode()):
        key = by_openssl(part, f"hexkey:{key.hex()}")
    assert headers["Authorization"].endswith(f"Signature={key.hex()}")


def test_dingtalk_signs_moment_and_secret_with_the_secret():
    proof = by_openssl(b"1771297200000\nSECof-ours", in_hex("SECof-ours"))

    assert dingtalk.signature("SECof-ours", "1771297200000") == base64.b64encode(proof).decode()


def test_feishu_signs_nothing_with_moment_and_secret():
    proof = by_openssl(b"", in_hex("1771297200\nof-ours"))

    assert feishu.signature("of-ours", "1771297200") == base64.b64encode(proof).decode()
