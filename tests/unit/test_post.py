"""Asking a hub: what cannot be asked is refused before anybody is dialled, and who cannot be reached is named."""

import socket
from datetime import timedelta

import pytest

from gateway.domain.endpoint import Endpoint
from gateway.ports import TryLater
from ingest.post import MqttPost

RENAME = "zigbee2mqtt/bridge/request/device/rename"


@pytest.mark.parametrize("hub", ["", "#", "+", "hub-a/plain", "hub a", "hub\0"])
def test_a_hub_that_is_none_is_not_asked(hub):
    with pytest.raises(ValueError, match=r"hub|topic"):
        MqttPost(Endpoint(host="no-such-host.invalid")).post(hub, RENAME, b"{}")


@pytest.mark.parametrize(
    "rest", ["", "zigbee2mqtt/#", "zigbee2mqtt/+/set", "zigbee2mqtt/living room/set", "a\nb", "x" * 2000]
)
def test_a_topic_that_reaches_too_far_is_refused(rest):
    with pytest.raises(ValueError, match=r"hub|topic"):
        MqttPost(Endpoint(host="no-such-host.invalid")).post("hub-a", rest, b"{}")


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with pytest.raises(TryLater, match=f"hub-a was not asked: mqtt://127.0.0.1:{port} cannot be reached"):
        MqttPost(Endpoint(host="127.0.0.1", port=port)).post("hub-a", RENAME, b"{}")


def test_somebody_who_never_answers():
    with socket.create_server(("127.0.0.1", 0)) as dumb:
        post = MqttPost(Endpoint(host="127.0.0.1", port=dumb.getsockname()[1]), within=timedelta(seconds=0.3))

        with pytest.raises(TryLater, match="hub-a was not asked"):
            post.post("hub-a", RENAME, b"{}")
