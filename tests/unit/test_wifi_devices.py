"""Shelly, Tasmota and ESPHome devices in a home: one message in the shape in which each sends it, and what it gives."""

import pytest
from the_intake import HUB, MORNING, Ear, brief, iso, sensor, why

from gateway.domain import Kind, Power, Role
from gateway.refusals import ADDRESS
from ingest.decoders import DECODERS
from ingest.decoders.base import Part
from ingest.decoders.wifi import address, by_dbm

K, R = Kind, Role
SECONDS = MORNING.timestamp()


def home(*registered: tuple[str, Role], **more: object) -> Ear:
    """Sensors by address and role."""
    return Ear(*(sensor(where, role, **more) for where, role in registered))


def notify(ts: float = SECONDS, **components: object) -> dict[str, object]:
    """What a Shelly of the second generation says when something changed; `input_0` stands for `input:0`."""
    named = {name.replace("_", ":"): status for name, status in components.items()}
    return {"src": "it", "dst": "it/events", "method": "NotifyStatus", "params": {"ts": ts, **named}}


def happened(component: str, event: str, ts: float = SECONDS, **more: object) -> dict[str, object]:
    told = {"component": component, "id": 0, "event": event, "ts": ts, **more}
    return {"src": "it", "dst": "it/events", "method": "NotifyEvent", "params": {"ts": ts, "events": [told]}}


SAYS: list[tuple[str, str, Role, str, object, list[tuple[Kind, float]]]] = [
    # ---- Shelly, second generation and later
    ("a wired button", "plus1", R.SOS, "shelly/plus1/events/rpc", happened("input:0", "single_push"), [(K.SOS, 1)]),
    ("its long push", "plus1", R.SOS, "shelly/plus1/events/rpc", happened("input:0", "long_push"), [(K.SOS, 1)]),
    ("its beginning", "plus1", R.SOS, "shelly/plus1/events/rpc", happened("input:0", "btn_down"), []),
    ("a new word", "plus1", R.SOS, "shelly/plus1/events/rpc", happened("input:0", "shake"), [(K.SOS, 1)]),
    ("another event", "plus1", R.SOS, "shelly/plus1/events/rpc", happened("sys", "ota_begin"), []),
    (
        "a wire",
        "plus1",
        R.EXIT_DOOR,
        "shelly/plus1/events/rpc",
        notify(input_0={"id": 0, "state": True}),
        [(K.DOOR, 1)],
    ),
    ("a button's wire", "plus1", R.SOS, "shelly/plus1/events/rpc", notify(input_0={"id": 0, "state": None}), []),
    ("smoke", "loft", R.SMOKE, "shelly/sos/loft/events/rpc", notify(smoke_0={"id": 0, "alarm": True}), [(K.SMOKE, 1)]),
    ("flood", "bath", R.LEAK, "shelly/sos/bath/status/flood:0", {"id": 0, "alarm": True, "mute": False}, [(K.LEAK, 1)]),
    (
        "climate",
        "ht",
        R.CLIMATE,
        "shelly/ht/events/rpc",
        notify(temperature_0={"id": 0, "tC": 19.8, "tF": 67.6}, humidity_0={"id": 0, "rh": 51.5})
        | {"method": "NotifyFullStatus"},
        [(K.TEMPERATURE, 19.8), (K.HUMIDITY, 51.5)],
    ),
    (
        "battery",
        "ht",
        R.CLIMATE,
        "shelly/ht/status/devicepower:0",
        {"id": 0, "battery": {"V": 2.91, "percent": 87}, "external": {"present": False}},
        [(K.BATTERY, 87), (K.VOLTAGE, 2.91)],
    ),
    (
        "a plug",
        "kettle",
        R.APPLIANCE,
        "shelly/kettle/status/switch:0",
        {"id": 0, "output": True, "apower": 1904.2, "voltage": 230.8, "temperature": {"tC": 44.1}},
        [(K.APPLIANCE, 1), (K.POWER, 1904.2)],
    ),
    ("how well heard", "plus1", R.SOS, "shelly/plus1/events/rpc", notify(wifi={"rssi": -71}), [(K.LINK, 148)]),
    ("there", "plus1", R.SOS, "shelly/plus1/online", b"true", [(K.CONNECTED, 1)]),
    ("gone", "plus1", R.SOS, "shelly/plus1/online", b"false", [(K.CONNECTED, 0)]),
    (
        "a pulse counter that knows its litres",
        "uni",
        R.WATER_METER,
        "shelly/uni/status/input:2",
        {"id": 2, "counts": {"total": 812, "xtotal": 8120.0}, "freq": 0.0},
        [(K.METER, 8120)],
    ),
    # ---- Bluetooth through a Shelly
    (
        "Bluetooth door",
        "gw/bthomesensor:201",
        R.EXIT_DOOR,
        "shelly/gw/events/rpc",
        notify(bthomesensor_201={"id": 201, "value": True, "last_updated_ts": SECONDS}),
        [(K.DOOR, 1)],  # 1 is open: the other way round than Zigbee2MQTT's contact
    ),
    (
        "Bluetooth button",
        "gw/bthomedevice:200",
        R.SOS,
        "shelly/gw/events/rpc",
        happened("bthomedevice:200", "double_push"),
        [(K.SOS, 1)],
    ),
    (
        "its battery",
        "gw/bthomedevice:200",
        R.SOS,
        "shelly/gw/events/rpc",
        notify(bthomedevice_200={"id": 200, "rssi": -60, "battery": 100, "packet_id": 7}),
        [(K.BATTERY, 100), (K.LINK, 204)],
    ),
    (
        "an advertisement handed on by the script",
        "gw/0c:ef:f6:01:02:03",
        R.OPENING,
        "shelly/gw/events/rpc",
        happened(
            "script:1",
            "shelly-blu",
            data={
                "address": "0c:ef:f6:01:02:03",
                "pid": 41,
                "battery": 99,
                "window": 1,
                "illuminance": 12,
                "rssi": -70,
            },
        ),
        [(K.OPENING, 1), (K.ILLUMINANCE, 12), (K.BATTERY, 99), (K.LINK, 153)],
    ),
    # ---- Shelly, first generation
    ("door", "shellydw2-A1B2C3", R.EXIT_DOOR, "shelly/shellydw2-A1B2C3/sensor/state", b"open", [(K.DOOR, 1)]),
    (
        "its battery",
        "shellydw2-A1B2C3",
        R.EXIT_DOOR,
        "shelly/shellydw2-A1B2C3/sensor/battery",
        b"98",
        [(K.BATTERY, 98)],
    ),
    ("shaken", "shellydw2-A1B2C3", R.OPENING, "shelly/shellydw2-A1B2C3/sensor/vibration", b"1", [(K.VIBRATION, 1)]),
    ("asleep", "shellydw2-A1B2C3", R.EXIT_DOOR, "shelly/shellydw2-A1B2C3/online", b"false", []),
    (
        "motion",
        "shellymotion-1",
        R.MOTION,
        "shelly/shellymotion-1/status",
        {"motion": True, "timestamp": 1795248000, "active": True, "vibration": False, "lux": 40, "bat": 77},
        [(K.MOTION, 1), (K.VIBRATION, 0), (K.ILLUMINANCE, 40), (K.BATTERY, 77)],
    ),
    ("flood", "shellyflood-1", R.LEAK, "shelly/sos/shellyflood-1/sensor/flood", b"true", [(K.LEAK, 1)]),
    ("smoke", "shellysmoke-1", R.SMOKE, "shelly/sos/shellysmoke-1/sensor/smoke", b"true", [(K.SMOKE, 1)]),
    ("gas", "shellygas-1", R.GAS, "shelly/sos/shellygas-1/sensor/gas", b"heavy", [(K.GAS, 1)]),
    ("gas, warming up", "shellygas-1", R.GAS, "shelly/sos/shellygas-1/sensor/operation", b"warmup", [(K.FAULT, 1)]),
    ("button", "b1", R.SOS, "shelly/sos/b1/input_event/0", {"event": "SS", "event_cnt": 3}, [(K.SOS, 1)]),
    ("nothing pressed yet", "b1", R.SOS, "shelly/sos/b1/input_event/0", {"event": "", "event_cnt": 0}, []),
    ("wire", "i3/input:2", R.EXIT_DOOR, "shelly/i3/input/2", b"1", [(K.DOOR, 1)]),
    ("plug", "tv", R.APPLIANCE, "shelly/tv/relay/0/power", b"84.5", [(K.APPLIANCE, 1), (K.POWER, 84.5)]),
    ("its relay", "lamp", R.APPLIANCE, "shelly/lamp/relay/0", b"on", [(K.APPLIANCE, 1)]),
    # ---- Tasmota
    ("a wire", "hall", R.EXIT_DOOR, "tasmota/hall/stat/RESULT", {"Switch1": {"Action": "ON"}}, [(K.DOOR, 1)]),
    (
        "the same, told now and then",
        "hall",
        R.MOTION,
        "tasmota/hall/tele/SENSOR",
        {"Time": "2026-11-21T16:00:00", "Switch1": "ON"},
        [(K.MOTION, 1)],
    ),
    ("a button", "cord", R.SOS, "tasmota/sos/cord/stat/RESULT", {"Button1": {"Action": "SINGLE"}}, [(K.SOS, 1)]),
    ("the other order", "cord", R.SOS, "tasmota/sos/stat/cord/RESULT", {"Button1": {"Action": "HOLD"}}, [(K.SOS, 1)]),
    ("a relay", "lamp", R.APPLIANCE, "tasmota/lamp/stat/POWER", b"ON", [(K.APPLIANCE, 1)]),
    (
        "state",
        "lamp",
        R.APPLIANCE,
        "tasmota/lamp/tele/STATE",
        {"Time": "2026-11-21T16:00:00", "Uptime": "0T00:10:11", "POWER": "OFF", "Wifi": {"RSSI": 44, "Signal": -78}},
        [(K.APPLIANCE, 0), (K.LINK, 112)],
    ),
    (
        "a plug",
        "kettle",
        R.APPLIANCE,
        "tasmota/tele/kettle/SENSOR",
        {"Time": "2026-11-21T16:00:00", "ENERGY": {"Total": 3.2, "Power": 1790, "Voltage": 229}},
        [(K.APPLIANCE, 1), (K.POWER, 1790)],
    ),
    (
        "climate",
        "room",
        R.CLIMATE,
        "tasmota/room/stat/STATUS10",
        {"StatusSNS": {"Time": "2026-11-21T16:00:00", "AM2301": {"Temperature": 68, "Humidity": 40}, "TempUnit": "F"}},
        [(K.TEMPERATURE, 20), (K.HUMIDITY, 40)],
    ),
    ("a meter", "water", R.WATER_METER, "tasmota/water/tele/SENSOR", {"COUNTER": {"C1": 5120}}, [(K.METER, 5120)]),
    ("there", "hall", R.EXIT_DOOR, "tasmota/hall/tele/LWT", b"Online", [(K.CONNECTED, 1)]),
    ("gone", "hall", R.EXIT_DOOR, "tasmota/hall/tele/LWT", b"Offline", [(K.CONNECTED, 0)]),
    (
        "Zigbee through it",
        "zb/Hall_Door",
        R.EXIT_DOOR,
        "tasmota/zb/tele/SENSOR",
        {"ZbReceived": {"0x1A2B": {"Device": "0x1A2B", "Name": "Hall_Door", "Contact": 1, "LinkQuality": 81}}},
        [(K.DOOR, 1), (K.LINK, 81)],
    ),
    (
        "Zigbee without a name, with a topic of its own",
        "zb/0x3C4D",
        R.MOTION,
        "tasmota/tele/zb/3C4D/SENSOR",
        {"ZbReceived": {"0x3C4D": {"Device": "0x3C4D", "Occupancy": 1, "BatteryPercentage": 64}}},
        [(K.MOTION, 1), (K.BATTERY, 64)],
    ),
    # ---- ESPHome
    ("radar", "radar", R.PRESENCE, "esphome/radar/binary_sensor/presence/state", b"ON", [(K.PRESENCE, 1)]),
    ("where it lies", "radar", R.PRESENCE, "esphome/radar/binary_sensor/still_target/state", b"OFF", []),
    ("door", "node/drawer", R.OPENING, "esphome/node/binary_sensor/drawer/state", b"ON", [(K.OPENING, 1)]),
    ("a mat", "bed", R.BED, "esphome/bed/binary_sensor/mat/state", b"ON", [(K.BED, 1)]),
    ("smoke", "loft", R.SMOKE, "esphome/sos/loft/binary_sensor/loft_smoke/state", b"ON", [(K.SMOKE, 1)]),
    ("a pull cord", "cord", R.SOS, "esphome/sos/cord/binary_sensor/cord/state", b"ON", [(K.SOS, 1)]),
    ("temperature", "room", R.CLIMATE, "esphome/room/sensor/room_temperature/state", b"21.40", [(K.TEMPERATURE, 21.4)]),
    ("not measured", "room", R.CLIMATE, "esphome/room/sensor/room_temperature/state", b"nan", []),
    ("its own warmth", "room", R.CLIMATE, "esphome/room/sensor/esp32_temperature/state", b"53.1", []),
    ("battery", "room", R.CLIMATE, "esphome/room/sensor/battery_level/state", b"76", [(K.BATTERY, 76)]),
    ("how well heard", "room", R.CLIMATE, "esphome/room/sensor/wifi_signal/state", b"-58", [(K.LINK, 214)]),
    ("button", "bell", R.SOS, "esphome/sos/bell/event/button/state", {"event_type": "single"}, [(K.SOS, 1)]),
    ("fall radar", "bath", R.FALL, "esphome/sos/bath/text_sensor/fall_state/state", b"Falling", [(K.FALL, 1)]),
    ("plug", "tv", R.APPLIANCE, "esphome/tv/switch/relay/state", b"ON", [(K.APPLIANCE, 1)]),
    ("there", "radar", R.PRESENCE, "esphome/radar/status", b"online", [(K.CONNECTED, 1)]),
    ("gone", "radar", R.PRESENCE, "esphome/radar/status", b"offline", [(K.CONNECTED, 0)]),
]


def told(taken) -> list[tuple[Kind, float]]:
    """What it gave, without the note that the device lives."""
    return [(one.kind, one.value) for one in taken.readings if one.kind is not Kind.ALIVE]


@pytest.mark.parametrize(
    ("where", "role", "topic", "payload", "given"),
    [row[1:] for row in SAYS],
    ids=[f"{row[3]}, {row[0]}" for row in SAYS],
)
def test_what_a_device_says(where, role, topic, payload, given):
    assert ADDRESS.fullmatch(where)

    taken = home((where, role)).hears(topic, payload)

    assert (sorted(told(taken)), why(taken)) == (sorted(given), [])


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("shellydw2-A1B2C3", "shellydw2-A1B2C3"),
        ("input:0", "input:0"),
        ("moving_target", "moving_target"),
        ("厨房", "厨房"),
        ("hall door ", "hall-door"),
        ("#", ""),
        ("x" * 90, "x" * 64),
    ],
)
def test_names_as_they_are_registered(name, registered):
    assert address(name) == registered
    assert not registered or ADDRESS.fullmatch(registered)


@pytest.mark.parametrize(("dbm", "link"), [(-40, 255), (-50, 255), (-75, 127), (-100, 0), (-120, 0)])
def test_how_well_a_device_is_heard(dbm, link):
    assert by_dbm(dbm) == link


@pytest.mark.parametrize("dialect", ["shelly", "tasmota", "esphome"])
@pytest.mark.parametrize("rest", ["", "/", "a", "a/", "/a/b", "sos/", "sos/a", "#/online", "a//b", "sos//tele/x"])
def test_what_is_no_topic_of_a_device(dialect, rest):
    assert DECODERS[dialect].places(rest) == ()


@pytest.mark.parametrize(
    ("dialect", "rest"),
    [
        ("shelly", "plus1/rpc"),
        ("shelly", "plus1/command/switch:0"),
        ("shelly", "lamp/relay/0/command"),
        ("shelly", "announce"),
        ("tasmota", "hall/cmnd/POWER"),
        ("tasmota", "cmnd/hall/POWER"),
        ("esphome", "node/debug"),
        ("esphome", "node/switch/relay/command"),
        ("esphome", "node/fan/ceiling/speed_level/state"),
    ],
)
def test_commands_and_chatter_say_nothing(dialect, rest):
    assert [place.part for place in DECODERS[dialect].places(rest)] == [Part.NOTHING]


# --------------------------------------------------------------------------- whole devices and their parts


def test_a_part_that_is_registered_speaks_for_itself_and_the_rest_for_the_whole():
    ear = home(("i4", R.SOS), ("i4/input:1", R.EXIT_DOOR))

    taken = ear.hears("shelly/i4/events/rpc", notify(input_1={"state": True}, input_3={"state": True}))

    assert [(one.sensor, one.kind) for one in taken.readings] == [("i4/input:1", K.DOOR), ("i4", K.SOS)]


def test_two_buttons_of_one_device_pressed_at_once_are_two_calls():
    ear = home(("i4/input:0", R.SOS), ("i4/input:1", R.SOS))
    both = happened("input:0", "single_push")
    both["params"]["events"].append({"component": "input:1", "event": "single_push", "ts": SECONDS})

    taken = ear.hears("shelly/sos/i4/events/rpc", both)

    assert [(one.sensor, one.kind) for one in taken.readings] == [("i4/input:0", K.SOS), ("i4/input:1", K.SOS)]
    assert taken.urgent


def test_what_holds_for_a_device_holds_for_its_parts_and_for_no_neighbour():
    ear = home(("node/door", R.EXIT_DOOR), ("node/drawer", R.OPENING), ("node-2", R.CLIMATE))

    taken = ear.hears("esphome/node/status", b"offline")

    assert [(one.sensor, one.kind, one.value) for one in taken.readings] == [
        ("node/door", K.CONNECTED, 0),
        ("node/drawer", K.CONNECTED, 0),
    ]


def test_what_speaks_through_a_plug_is_not_the_plug():
    ear = home(("plug", R.APPLIANCE))

    taken = ear.hears("shelly/plug/events/rpc", notify(bthomesensor_200={"id": 200, "value": True}))

    assert (told(taken), why(taken)) == ([], ["unknown-device"])
    assert [device.address for device in taken.devices] == ["plug/bthomesensor:200"]


def test_a_device_nobody_registered_is_listed_once_with_what_it_says():
    ear = home()

    first = ear.hears("tasmota/hall/tele/SENSOR", {"Switch1": "ON", "AM2301": {"Temperature": 20}})
    again = ear.hears("tasmota/hall/tele/SENSOR", {"Switch1": "OFF"})

    assert [device.address for device in first.devices] == ["hall"]
    assert again.devices == []
    assert set(why(first) + why(again)) == {"unknown-device"}
    assert again.quarantined[-1].detail.split() == ["input", "temperature"]


def test_a_device_nobody_registered_that_calls_for_help_is_heard():
    taken = home().hears("esphome/sos/loft/binary_sensor/loft_smoke/state", b"ON")

    assert (brief(taken), taken.urgent, why(taken)) == ([(K.SMOKE, 1)], True, ["unregistered-alarm"])


# --------------------------------------------------------------------------- when, and how often


def test_a_shelly_tells_the_time_and_a_delayed_press_its_age():
    ear = home(("plus1", R.SOS))
    pressed = ear.now
    ear.after(minutes=20)

    [press] = ear.hears("shelly/sos/plus1/events/rpc", happened("input:0", "single_push")).readings

    assert (press.at, press.heard, press.late) == (pressed, ear.now, True)


def test_tasmota_s_local_time_is_no_time():
    ear = home(("hall", R.MOTION))
    told_ = {"Time": "2026-11-21T16:00:00", "Switch1": "ON"}

    [motion] = ear.after(hours=3).hears("tasmota/hall/tele/SENSOR", told_).readings

    assert motion.at == ear.now


def test_tasmota_s_time_counts_where_it_names_its_zone():
    ear = home(("hall", R.MOTION))
    ear.hears("tasmota/hall/tele/SENSOR", {"Switch1": "OFF"})
    then = ear.after(minutes=2).now
    ear.after(minutes=2)

    [motion] = ear.hears("tasmota/hall/tele/SENSOR", {"Time": iso(then), "Switch1": "ON"}).readings

    assert motion.at == then


def test_a_press_that_a_first_generation_button_repeats_as_long_as_it_runs_is_one():
    ear = home(("b1", R.SOS))
    press = {"event": "S", "event_cnt": 7}

    for _ in range(40):
        ear.after(seconds=30).hears("shelly/sos/b1/input_event/0", press)
    ear.after(seconds=30).hears("shelly/sos/b1/input_event/0", press | {"event_cnt": 8})

    assert [one.kind for one in ear.readings if one.kind is not K.ALIVE] == [K.SOS, K.SOS]


def test_an_advertisement_sent_several_times_is_one_press():
    ear = home(("gw/0c:ef:f6:01:02:03", R.SOS))

    for second in range(3):
        data = {"address": "0c:ef:f6:01:02:03", "pid": 200, "button": 1}
        ear.after(seconds=1).hears(
            "shelly/sos/gw/events/rpc", happened("script:1", "shelly-blu", SECONDS + second, data=data)
        )

    assert [one.kind for one in ear.readings] == [K.SOS]


def test_what_a_shelly_does_not_mention_is_as_before():
    ear = home(("node", R.EXIT_DOOR))
    ear.hears("shelly/node/events/rpc", notify(input_0={"id": 0, "state": True}))

    later = ear.after(minutes=5).hears("shelly/node/events/rpc", notify(SECONDS + 300, wifi={"rssi": -60}))
    closed = ear.after(minutes=5).hears("shelly/node/events/rpc", notify(SECONDS + 600, input_0={"state": False}))

    assert (told(later), told(closed)) == ([(K.LINK, 204)], [(K.DOOR, 0)])


def test_a_retained_state_is_no_sign_of_life():
    ear = home(("radar", R.PRESENCE))

    [seen] = ear.hears("esphome/radar/binary_sensor/presence/state", b"ON", retained=True).readings

    assert not seen.is_life


# --------------------------------------------------------------------------- alive and gone


@pytest.mark.parametrize(
    ("topic", "gone", "there"),
    [
        ("shelly/it/online", b"false", b"true"),
        ("tasmota/it/tele/LWT", b"Offline", b"Online"),
        ("esphome/it/status", b"offline", b"online"),
    ],
)
def test_a_last_will_is_the_broker_s_word_and_proves_nobody_alive(topic, gone, there):
    ear = home(("it", R.MOTION))

    assert not ear.hears(topic, gone).heard
    assert ear.hears(topic, there).heard


def test_a_device_on_batteries_sleeps_and_is_not_gone():
    ear = home(("it", R.MOTION), power=Power.BATTERY)

    assert told(ear.hears("esphome/it/status", b"offline")) == []


# --------------------------------------------------------------------------- what ESPHome announces


def config(entity: str, component: str = "binary_sensor", **more: object) -> tuple[str, dict[str, object]]:
    state = f"shouwang/{HUB}/esphome/sos/bath/{component}/{entity}/state"
    device = {"ids": "a1b2", "name": "bath", "mdl": "esp32-c3", "mf": "Espressif"}
    return f"esphome/homeassistant/{component}/bath/{entity}/config", {"stat_t": state, "dev": device, **more}


def test_a_node_announces_one_thing_at_a_time_and_has_all_of_them():
    ear = home()

    for entity, component, more in [
        ("target", "binary_sensor", {"dev_cla": "occupancy"}),
        ("alarm", "binary_sensor", {"device_class": "smoke", "pl_on": "YES", "pl_off": "NO"}),
        ("drawn", "sensor", {"dev_cla": "water", "unit_of_meas": "m³"}),
    ]:
        taken = ear.hears(*config(entity, component, **more), retained=True)

    [node] = taken.devices
    assert (node.address, node.model, node.vendor) == ("bath", "esp32-c3", "Espressif")
    assert [(one.property, one.kind, one.on, one.unit, one.means) for one in node.exposes] == [
        ("target", "binary", "ON", "", "occupancy"),
        ("alarm", "binary", "YES", "", "smoke"),
        ("drawn", "numeric", "", "m³", "water"),
    ]


def test_what_was_announced_says_what_a_state_means():
    ear = home(("bath", R.PRESENCE), ("bath/drawn", R.WATER_METER))
    ear.hears(*config("target", dev_cla="occupancy"), retained=True)
    ear.hears(*config("alarm", dev_cla="smoke", pl_on="YES", pl_off="NO"), retained=True)
    ear.hears(*config("drawn", "sensor", dev_cla="water", unit_of_meas="m³"), retained=True)

    given = [
        told(ear.hears(f"esphome/sos/bath/{topic}/state", said))
        for topic, said in [
            ("binary_sensor/target", b"ON"),
            ("binary_sensor/alarm", b"YES"),
            ("sensor/drawn", b"1.5"),
            ("sensor/drawn", b"1.504"),
        ]
    ]

    assert given == [[(K.PRESENCE, 1)], [(K.SMOKE, 1)], [(K.METER, 1500)], [(K.METER, 1504), (K.WATER, 4)]]


def test_an_announcement_of_somebody_else_s_topic_is_not_believed():
    ear = home()
    topic, payload = config("target")
    payload["stat_t"] = "shouwang/hub-8/esphome/bath/binary_sensor/target/state"

    taken = ear.hears(topic, payload)

    assert (taken.devices, why(taken)) == ([], ["bad-value"])


# --------------------------------------------------------------------------- what cannot be


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("shelly/it/events/rpc", {"method": "NotifyStatus", "params": None}),
        ("shelly/it/events/rpc", {"method": "NotifyStatus", "params": {"ts": "yesterday", "input:0": {"state": True}}}),
        ("shelly/it/status/humidity:0", {"rh": "dry"}),
        ("shelly/it/status/input:2", {"counts": {"total": -3}}),
        ("shelly/it/input_event/0", {"event": 7, "event_cnt": 1}),
        ("shelly/it/sensor/battery", b"full"),
        ("tasmota/it/tele/SENSOR", {"AM2301": {"Temperature": 900}}),
        ("tasmota/it/tele/STATE", {"Wifi": {"RSSI": 101}}),
        ("esphome/it/sensor/humidity/state", b"wet"),
        ("esphome/it/binary_sensor/door/state", b"perhaps"),
    ],
)
def test_what_cannot_be_is_put_away(topic, payload):
    taken = home(("it", R.MOTION)).hears(topic, payload)

    assert why(taken)[:1] == ["bad-value"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("shelly/it/events/rpc", {"method": "NotifyEvent", "params": {"events": [None, {}, {"component": 1}]}}),
        ("shelly/it/status/unheard-of:0", {"value": 1}),
        ("shelly/it/sensor/tilt", b"12"),
        ("shelly/it/info", {"wifi_sta": {}}),
        ("tasmota/it/tele/INFO1", {"Info1": {}}),
        ("tasmota/it/tele/SENSOR", {"ZbReceived": {"0x1": None}, "COUNTER": {"Total": 4}, "ANALOG": {"A0": 3}}),
        ("esphome/it/sensor/uptime/state", b"81234"),
        ("esphome/it/text_sensor/version/state", b"2026.6.5"),
    ],
)
def test_what_is_nothing_to_us_passes_harmlessly(topic, payload):
    taken = home(("it", R.PRESENCE)).hears(topic, payload)

    assert (told(taken), why(taken)) == ([], [])


def test_a_message_that_lists_without_end_is_read_so_far():
    devices = {f"0x{n:04x}": {"Contact": 1} for n in range(1000)}

    taken = home(("zb/0x0001", R.EXIT_DOOR)).hears("tasmota/zb/tele/SENSOR", {"ZbReceived": devices})

    assert len(taken.readings) == 1
    assert len(taken.quarantined) < 200


def test_homes_stay_sealed():
    taken = home(("hall", R.EXIT_DOOR)).hears_at("shouwang/hub-8/tasmota/hall/stat/POWER", b"ON")

    assert (taken.home, why(taken)) == ("", ["unknown-hub"])
