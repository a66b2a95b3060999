"""What an installer downloads for a hub: complete, of one home only, and told to nobody who needs not know."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.app import uplink
from gateway.config import Settings
from gateway.domain.endpoint import Endpoint
from gateway.kit import BOX, contents, make_kit

ROOT = Path(__file__).parents[2]
SECRET = "s3cret-s3cret-s3cret"
BROKER = Endpoint(host="broker.example.org", port=8883, tls=True)

# Every option of Zigbee2MQTT that we set. Each was looked up in the schema of 2.14, and the whole file passed it.
ZIGBEE2MQTT = {
    "version": "4",
    "mqtt.base_topic": "shouwang/hub-7/zigbee2mqtt",
    "mqtt.server": "mqtt://127.0.0.1:1883",
    "mqtt.version": "4",
    "mqtt.keepalive": "20",
    "mqtt.include_device_information": "true",
    "device_options.qos": "1",
    "device_options.retain": "false",
    "advanced.last_seen": "ISO_8601",
    "advanced.output": "json",
    "advanced.cache_state": "true",
    "advanced.cache_state_persistent": "true",
    "advanced.cache_state_send_on_startup": "false",
    "advanced.log_level": "warning",
    "advanced.log_output": "- console",
    "advanced.enable_external_js": "false",
    "advanced.network_key": "GENERATE",
    "advanced.pan_id": "GENERATE",
    "advanced.ext_pan_id": "GENERATE",
    "availability.enabled": "true",
    "availability.active.timeout": "8",
    "availability.active.max_jitter": "30000",
    "availability.active.backoff": "false",
    "availability.active.pause_on_backoff_gt": "0",
    "availability.passive.timeout": "1500",
    "health.interval": "1",
    "health.reset_on_check": "false",
    "homeassistant.enabled": "false",
    "frontend.enabled": "false",
    "ota.disable_automatic_update_check": "true",
}


def kit(**changes) -> dict[str, str]:
    given = {"hub": "hub-7", "secret": SECRET, "uplink": BROKER, "home": "A-101"} | changes
    return {name: text for name, _, text in contents(**given)}


def options(text: str) -> dict[str, str]:
    """The few forms of YAML that our file uses: maps, words, and a list of one."""
    found, path = {}, []
    for line in text.splitlines():
        said = line.split("#")[0].rstrip()
        if not said:
            continue
        depth = (len(said) - len(said.lstrip())) // 2
        key, colon, value = said.strip().partition(":")
        if not colon:
            found[".".join(path[:depth])] = said.strip()
            continue
        path[depth:] = [key]
        if value:
            found[".".join(path)] = value.strip()
    return found


def test_the_zip_holds_everything_and_only_its_owner_reads_the_secret():
    with zipfile.ZipFile(io.BytesIO(make_kit("hub-7", SECRET, BROKER, home="A-101"))) as packed:
        entries = {entry.filename: entry for entry in packed.infolist()}
        holders = [name for name in entries if SECRET.encode() in packed.read(name)]

    assert entries.keys() == {f"hub-hub-7/{name}" for name in BOX}
    assert holders == ["hub-hub-7/mosquitto.conf"]
    assert entries[holders[0]].external_attr >> 16 & 0o777 == 0o600
    assert entries["hub-hub-7/install.sh"].external_attr >> 16 & 0o777 == 0o755


def test_the_same_hub_gives_the_same_kit():
    assert make_kit("hub-7", SECRET, BROKER) == make_kit("hub-7", SECRET, BROKER)
    assert make_kit("hub-7", SECRET, BROKER) != make_kit("hub-7", SECRET[::-1], BROKER)


def test_zigbee2mqtt_is_told_what_we_looked_up():
    assert options(kit()["configuration.yaml"]) == ZIGBEE2MQTT


def test_a_new_secret_changes_the_line_and_leaves_the_zigbee_network_alone():
    before, after = kit(), kit(secret=SECRET[::-1])

    assert {name for name in before if before[name] != after[name]} == {"mosquitto.conf"}


def lines(conf: str) -> list[str]:
    return [line for line in conf.splitlines() if line and not line.startswith("#")]


def test_the_line_carries_its_own_home_and_nothing_else():
    conf = lines(kit()["mosquitto.conf"])

    assert [line for line in conf if line.startswith("topic ")] == [
        "topic shouwang/hub-7/# out 1",
        "topic shouwang/hub-7/zigbee2mqtt/bridge/request/# in 0",
        "topic shouwang/hub-7/zigbee2mqtt/+/set in 0",
        "topic shouwang/hub-7/zigbee2mqtt/+/+/set in 0",
        "topic plain/hub in 0 shouwang-back/ shouwang/hub-7/",
    ]
    assert [line for line in conf if line.startswith("listener")] == ["listener 1883 127.0.0.1"]
    assert "address broker.example.org:8883" in conf


def test_encryption_is_what_the_broker_has(tmp_path):
    (ca := tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    own = kit(uplink=Endpoint(host="b", port=8883, tls=True, ca=ca))
    plain = kit(uplink=Endpoint(host="b"))

    assert "bridge_capath /etc/ssl/certs" in lines(kit()["mosquitto.conf"])
    assert "bridge_cafile /etc/mosquitto/shouwang-ca.crt" in lines(own["mosquitto.conf"])
    assert own["shouwang-ca.crt"] == ca.read_text()
    assert not [line for line in lines(plain["mosquitto.conf"]) if line.startswith("bridge_ca")]


def test_a_second_way_is_taken_sooner_than_one_waits_for_the_only_one():
    both = lines(kit(uplink=Endpoint.parse("mqtts://b.example?second=203.0.113.9"))["mosquitto.conf"])

    assert {"address b.example:8883 203.0.113.9:8883", "round_robin true", "keepalive_interval 10"} <= set(both)
    assert "keepalive_interval 20" in lines(kit()["mosquitto.conf"])


def test_who_knows_one_hubs_client_id_knows_no_other():
    ids = [
        line
        for secret in (SECRET, SECRET[::-1])
        for line in lines(kit(secret=secret)["mosquitto.conf"])
        if line.startswith("remote_clientid")
    ]

    assert len(set(ids)) == 2


def test_no_name_of_a_person_gets_into_the_box():
    assert not [name for name, text in kit(home="王奶奶").items() if "王奶奶" in text]


@pytest.mark.parametrize("hub", ["", "#", "hub a", "Hub", "../etc", "a\nb", "x" * 65])
def test_a_hub_that_cannot_be_is_refused(hub):
    with pytest.raises(ValueError, match="cannot be a hub's id"):
        make_kit(hub, SECRET, BROKER)


@pytest.mark.parametrize("secret", ["", "short", "with a space in it", "line\nbreak-line-break", "密" * 20])
def test_a_secret_that_mosquitto_cannot_read_back_is_refused_and_not_repeated(secret):
    with pytest.raises(ValueError, match="16 to 128 visible") as refused:
        make_kit("hub-7", secret, BROKER)

    assert not secret or secret not in str(refused.value)


def unpack(folder: Path, **changes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in kit(**changes).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def install(kit_folder: Path, box: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", kit_folder / "install.sh"],
        env={"DESTDIR": str(box), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_installation_keeps_the_zigbee_network_and_what_rings(tmp_path):
    """With another network key every device of the home would have to be joined anew."""
    box = tmp_path / "box"
    (box / "etc/mosquitto").mkdir(parents=True)
    (box / "etc/mosquitto/mosquitto.conf").write_text("# Debian's own\n")
    assert install(unpack(tmp_path / "kit"), box).returncode == 0
    network = box / "var/lib/zigbee2mqtt/configuration.yaml"
    network.write_text(network.read_text().replace("network_key: GENERATE", "network_key: [1, 2, 3]"))

    (box / "etc/shouwang-ring").write_text("SIREN=lamp\n")

    assert install(unpack(tmp_path / "kit", secret=SECRET[::-1]), box).returncode == 0

    assert "network_key: [1, 2, 3]" in network.read_text()
    line = box / "etc/mosquitto/mosquitto.conf"
    assert f"remote_password {SECRET[::-1]}" in line.read_text()
    assert line.stat().st_mode & 0o777 == 0o600
    assert line.with_name("mosquitto.conf.before-shouwang").read_text() == "# Debian's own\n"
    assert (box / "usr/local/bin/shouwang-heartbeat").stat().st_mode & 0o777 == 0o755
    assert (box / "etc/shouwang-ring").read_text() == "SIREN=lamp\n"


def test_the_kit_of_another_home_is_not_put_on_this_box(tmp_path):
    box = tmp_path / "box"
    install(unpack(tmp_path / "kit"), box)

    refused = install(unpack(tmp_path / "other", hub="hub-8"), box)

    assert refused.returncode == 1
    assert "belongs to another home" in refused.stderr
    assert "hub-7" in (box / "etc/mosquitto/mosquitto.conf").read_text()


def test_the_example_is_what_we_make_today():
    example = Endpoint(host="shouwang.example.org", port=8883, tls=True)
    made = {n: t for n, _, t in contents("hub-example", "not-a-secret-not-a-secret", example, home="A-101")}
    shown = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "examples" / "hub").iterdir()}

    assert shown == made, "scripts/example-hub writes it anew"


@pytest.mark.parametrize(
    ("settings", "reached"),
    [
        ({"broker": {"url": "mqtt://u:p@10.0.0.5:1884"}}, "mqtt://10.0.0.5:1884"),
        (
            {"broker": {"url": "mqtt://u:p@127.0.0.1"}, "web": {"base_url": "https://care.example"}},
            "mqtt://care.example:1883",
        ),
        ({"broker": {"public": "mqtts://b.example", "url": "mqtt://u:p@10.0.0.5"}}, "mqtts://b.example:8883"),
    ],
)
def test_the_address_in_a_kit_is_one_that_a_home_can_reach(settings, reached):
    at = uplink(Settings.model_validate(settings))

    assert (str(at), at.username, at.password) == (reached, "", "")


@pytest.mark.parametrize(
    "public",
    [
        "broker.example.org",
        "http://broker",
        "mqtts://hub:secret@broker",
        "mqtts://broker?second=other:0",
        "mqtts://broker?second=a b",
        "mqtts://broker?third=other",
    ],
)
def test_an_address_for_hubs_that_is_none_is_refused(public):
    with pytest.raises(ValidationError, match=r"broker\.public"):
        Settings.model_validate({"broker": {"public": public}})
