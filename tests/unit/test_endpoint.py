"""A broker's address: what is understood, and what is said about what is not."""

from pathlib import Path

import pytest

from gateway.domain.endpoint import Endpoint


def test_an_address_with_everything() -> None:
    endpoint = Endpoint.parse("mqtts://_gateway:p%40ss%2Fw%C3%B6rd@broker.example:8884?ca=/etc/shouwang/ca.crt")

    assert endpoint == Endpoint(
        host="broker.example",
        port=8884,
        username="_gateway",
        password="p@ss/wörd",
        tls=True,
        ca=Path("/etc/shouwang/ca.crt"),
    )


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://192.168.1.5", "192.168.1.5", 1883, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_what_is_left_out_is_usual(url: str, host: str, port: int, tls: bool) -> None:
    endpoint = Endpoint.parse(url)

    assert (endpoint.host, endpoint.port, endpoint.tls, endpoint.username, endpoint.ca) == (host, port, tls, "", None)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("192.168.1.5", "begins with mqtt://"),
        ("http://192.168.1.5", "not 'http'"),
        ("mqtt://", "needs a host"),
        ("mqtt://host:abc", "no number"),
        ("mqtt://host:99999", "no number"),
        ("mqtt://host/shouwang", "has no path"),
        ("mqtts://host?cert=x", r"no option \['cert'\]"),
        ("mqtt://host?ca=x", "needs mqtts://"),
    ],
)
def test_what_is_wrong_is_named(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Endpoint.parse(url)


def test_the_secret_is_never_shown() -> None:
    endpoint = Endpoint.parse("mqtt://name:geheim@host")

    assert "geheim" not in repr(endpoint)
    assert str(endpoint) == "mqtt://host:1883"
