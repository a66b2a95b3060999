"""Recorded homes, in the forms in which research publishes them. Every line here was made up."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from detectors import watch_over
from gateway.domain import Kind, Role
from gateway.ports import Message
from gateway.stores.memory import MemoryRegistry, MemoryTrail
from ingest.intake import Intake
from simulators.recordings import RecordingError, open_recording, replay

MADRID, NEW_YORK, SHANGHAI = ZoneInfo("Europe/Madrid"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Shanghai")


@pytest.fixture
def recorded(tmp_path):
    """Writes a few lines to a file and opens it."""

    def write(text: str, format: str, *, zone: ZoneInfo = MADRID, packed: bool = False, **options):
        path: Path = tmp_path / ("home.txt.gz" if packed else "home.txt")
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return open_recording(path, format, zone=zone, **options)

    return write


def told(recording) -> list[tuple[str, str, float]]:
    """When (local), which sensor, what value."""
    zone = recording.home.zone
    return [(f"{r.at.astimezone(zone):%H:%M:%S}", r.sensor, r.value) for r in recording.readings()]


def kinds(recording) -> dict[str, Kind]:
    return {r.sensor: r.kind for r in recording.readings()}


# --------------------------------------------------------------------------- formats

CASAS = """\
2020-05-04 07:00:01.5 Bedroom Bedroom ON Sleep
2020-05-04 07:00:03.123456 Bedroom Bedroom OFF Sleep
2020-05-04 07:02:00 Hall Porch OPEN
2020-05-04 07:02:09 Hall Porch CLOSE
2020-05-04\t07:03:00\tD007\tOPEN
2020-05-04,07:04:00,T003,21.5,Other
2020-05-04 07:05:00 BATV012 3150 Other
2020-05-04 07:06:00 L004 100 Other
"""


def test_casas_lines_come_in_several_spellings(recorded):
    recording = recorded(CASAS, "casas", exits=["Porch"])

    assert kinds(recording) == {
        "bedroom": Kind.MOTION,
        "hall-porch": Kind.DOOR,
        "d007": Kind.OPENING,
        "t003": Kind.TEMPERATURE,
        "batv012": Kind.VOLTAGE,
        "l004": Kind.APPLIANCE,
    }
    assert told(recording)[:3] == [
        ("07:00:01", "bedroom", 1),
        ("07:00:03", "bedroom", 0),
        ("07:02:00", "hall-porch", 1),
    ]
    assert recording.unread.count == 0


def test_the_home_is_inferred_from_its_sensors(recorded):
    home = recorded(CASAS, "casas", exits=["Porch"], home="flat 7").home

    assert home.id == "flat 7"
    assert home.hubs[0].id == "flat-7"
    assert home.exit_doors == {"hall-porch"}
    assert {room.id: room.kind.value for room in home.rooms} == {"bedroom": "bedroom", "hall": "hall"}
    assert next(s for s in home.sensors if s.id == "bedroom").role is Role.MOTION
    assert home.interval is None  # it promises nothing, so it never freezes


def test_the_front_door_is_known_by_its_name_where_nobody_says_which_it_is(recorded):
    recording = recorded("2020-05-04 07:00:00 Hall FrontDoor OPEN\n2020-05-04 07:00:05 D002 OPEN\n", "casas")

    assert recording.home.exit_doors == {"hall-frontdoor"}


def test_ordonez_lines_are_intervals(recorded):
    recording = recorded(
        "Start time\tEnd time\tLocation\tType\tPlace\r\n"
        "----------\t--------\t--------\t----\t-----\r\n"
        "2020-05-04 01:00:00\t2020-05-04 07:30:00\t\tBed\t\tPressure\tBedroom\r\n"
        "2020-05-04 07:31:00 \t2020-05-04 07:33:00\tBasin\tPIR\t\tBathroom\r\n"
        "2020-05-04 07:32:00\t2020-05-04 07:32:30\tToilet\tFlush\tBathroom\r\n"
        "2020-05-04 09:00:00\t2020-05-04 09:00:04\tMaindoor\tMagnetic\tEntrance\r\n",
        "ordonez",
    )

    assert kinds(recording) == {
        "bed-pressure-bedroom": Kind.BED,
        "basin-pir-bathroom": Kind.MOTION,
        "toilet-flush-bathroom": Kind.APPLIANCE,
        "maindoor-magnetic-entrance": Kind.DOOR,
    }
    assert [clock for clock, _, _ in told(recording)] == [
        "01:00:00",
        "07:30:00",
        "07:31:00",
        "07:32:00",
        "07:32:30",
        "07:33:00",
        "09:00:00",
        "09:00:04",
    ]
    assert {room.id for room in recording.home.rooms} == {"bedroom", "bathroom", "entrance"}


def test_kasteren_lines_name_months_in_english_and_sensors_by_number(recorded):
    recording = recorded(
        "4-May-2020 07:00:00\t04-May-2020 07:00:06\t12\t\n04-May-2020 07:05:00\t04-May-2020 19:00:00\t8\t\n",
        "kasteren",
        exits=["12"],
    )

    assert told(recording) == [
        ("07:00:00", "s12", 1),
        ("07:00:06", "s12", 0),
        ("07:05:00", "s8", 1),
        ("19:00:00", "s8", 0),
    ]
    assert kinds(recording) == {"s12": Kind.DOOR, "s8": Kind.OPENING}


STREAM = """\
time,device,kind,value
2020-05-04T07:00:00,pir,motion,ON
2020-05-04T07:00:20,kettle,appliance,ON
2020-05-04T07:00:30,porch,door,OPEN
2020-05-04T07:00:40,"mat, left",bed,1
2020-05-04T08:00:00,pir,heartbeat,motion
2020-05-04T08:01:00,porch,heartbeat,door
2020-05-04T09:00:00,pir,heartbeat,motion
2020-05-04T09:01:00,porch,heartbeat,door
2020-05-04T20:00:00,clock,tick,
"""


def test_a_heartbeat_is_heard_and_is_no_life(recorded):
    recording = recorded(STREAM, "stream")
    beats = [r for r in recording.readings() if r.at.astimezone(MADRID).hour >= 8]

    assert {r.kind for r in beats} == {Kind.AVAILABLE}
    assert not any(r.is_life for r in beats)
    assert recording.home.interval == timedelta(hours=1)


def test_a_tick_only_passes_the_time(recorded):
    last = list(recorded(STREAM, "stream").rows())[-1]

    assert last.reading is None
    assert last.at.astimezone(MADRID).hour == 20


def test_a_device_that_only_ever_beats_has_its_role_all_the_same(recorded):
    recording = recorded("time,device,kind,value\n2020-05-04T08:00:00,pir,heartbeat,motion\n", "stream")

    assert [sensor.role for sensor in recording.home.sensors] == [Role.MOTION]


def test_a_stream_without_heartbeats_promises_nothing(recorded):
    assert recorded("time,device,kind,value\n2020-05-04T08:00:00,pir,motion,ON\n", "stream").home.interval is None


def test_an_unknown_format_is_refused_by_name(recorded):
    with pytest.raises(RecordingError, match="no format 'csv'; there are casas, ordonez, kasteren, stream"):
        recorded(CASAS, "csv")


# --------------------------------------------------------------------------- what is wrong with files


def test_what_cannot_be_read_is_counted_and_the_rest_is_lived_through(recorded):
    recording = recorded(
        "2020-05-04 07:00:00 Bedroom ON\n"
        "garbage\n"
        "2020-99-04 07:00:00 Bedroom ON\n"
        "2020-05-04 07:00:10 Bedroom PURPLE\n"
        "\n"
        "2020-05-04 07:00:20 Bedroom ON\n",
        "casas",
    )

    assert recording.entries == 2
    assert recording.unread.reasons == {"too few fields": 1, "no time": 1, "no value": 1}
    assert recording.unread.examples[0] == (2, "too few fields", "garbage")


def test_something_that_ends_before_it_begins_is_counted(recorded):
    recording = recorded(
        "04-May-2020 07:00:00\t04-May-2020 06:00:00\t1\n04-May-2020 07:00:00\t04-May-2020 07:00:01\t2\n", "kasteren"
    )

    assert recording.unread.reasons == {"ends before it begins": 1}


def test_bytes_that_are_no_text_and_endless_lines_are_survived(recorded):
    recording = recorded(
        "2020-05-04 07:00:00 Bedroom ON\n" + "\x00\ufffd" * 40_000 + "\n2020-05-04 07:01:00 Hall ON\n", "casas"
    )

    assert [sensor for _, sensor, _ in told(recording)] == ["bedroom", "hall"]
    assert recording.unread.reasons["too long"] == 1


def test_a_download_that_broke_off_gives_what_there_is(tmp_path):
    lines = "".join(
        f"2020-05-04 07:{n // 60:02}:{n % 60:02}.{n * 7919 % 999:03} Room{n * 31 % 97} ON\n" for n in range(3000)
    )
    path = tmp_path / "home.txt.gz"
    whole = gzip.compress(lines.encode())
    path.write_bytes(whole[: len(whole) // 2])

    recording = open_recording(path, "casas", zone=MADRID)

    assert 100 < recording.entries < 3000
    assert recording.unread.reasons["the packed file is damaged"] == 1
    assert sum(1 for _ in recording.rows()) == recording.entries


def test_a_file_of_another_sort_is_refused_with_its_first_lines(recorded):
    with pytest.raises(
        RecordingError, match=r"holds no line that can be read as stream: line 1: too few fields: 'hello'"
    ):
        recorded("hello\nworld\n", "stream")


def test_an_entry_door_that_is_not_there_is_refused_with_what_is(recorded):
    with pytest.raises(RecordingError, match=r"has no sensor Poarch to be the entry door; it has .*Hall/Porch"):
        recorded(CASAS, "casas", exits=["Poarch"])


def test_packed_files_read_the_same(recorded):
    assert told(recorded(CASAS, "casas", packed=True)) == told(recorded(CASAS, "casas"))


def test_a_line_out_of_order_is_put_in_its_place(recorded):
    recording = recorded(
        "2020-05-04 07:00:00 A ON\n2020-05-04 07:00:09 B ON\n2020-05-04 07:00:04 C ON\n2020-05-04 07:00:12 D ON\n",
        "casas",
    )

    assert [sensor for _, sensor, _ in told(recording)] == ["a", "c", "b", "d"]


def test_names_that_become_the_same_are_told_apart(recorded):
    recording = recorded("2020-05-04 07:00:00 Room_1 ON\n2020-05-04 07:00:01 Room-1 ON\n", "casas")

    assert {sensor.name: sensor.id for sensor in recording.home.sensors} == {"Room-1": "room-1", "Room_1": "room-1-2"}


# --------------------------------------------------------------------------- clocks


def test_the_hour_that_comes_twice_is_lived_twice(recorded):
    recording = recorded(
        "2020-11-01 00:59:00 A ON\n"
        "2020-11-01 01:30:00 A ON\n"
        "2020-11-01 01:59:00 A ON\n"
        "2020-11-01 01:05:00 A ON\n"  # the clock has gone back
        "2020-11-01 01:58:00 A ON\n"
        "2020-11-01 02:10:00 A ON\n",
        "casas",
        zone=NEW_YORK,
    )
    moments = [r.at for r in recording.readings()]
    steps = [round((b - a).total_seconds() / 60) for a, b in pairwise(moments)]

    assert steps == [31, 29, 6, 53, 12]


def test_a_small_disorder_in_the_repeated_hour_is_no_clock_change(recorded):
    recording = recorded(
        "2020-11-01 01:30:00 A ON\n2020-11-01 01:29:58 B ON\n2020-11-01 01:31:00 A ON\n", "casas", zone=NEW_YORK
    )
    moments = [r.at for r in recording.readings()]

    assert moments[-1] - moments[0] == timedelta(seconds=62)


def test_an_hour_that_never_was_stays_in_order(recorded):
    recording = recorded(
        "2020-03-08 01:59:00 A ON\n2020-03-08 03:01:00 A ON\n2020-03-08 03:05:00 A ON\n", "casas", zone=NEW_YORK
    )
    moments = [r.at for r in recording.readings()]

    assert moments[1] - moments[0] == timedelta(minutes=2)


def test_something_that_lasted_through_the_repeated_hour_ends_in_the_right_one(recorded):
    recording = recorded("01-Nov-2020 01:50:00\t01-Nov-2020 01:10:00\t3\n", "kasteren", zone=NEW_YORK)
    begin, end = (r.at for r in recording.readings())

    assert end - begin == timedelta(minutes=20)


def test_times_with_a_zone_or_in_seconds_need_no_clock(recorded):
    recording = recorded(
        "time,device,kind,value\n2020-05-04T07:00:00+02:00,a,motion,1\n1588568460,b,motion,1\n", "stream"
    )

    assert [r.at for r in recording.readings()] == [
        datetime(2020, 5, 4, 5, 0, tzinfo=UTC),
        datetime(2020, 5, 4, 5, 1, tzinfo=UTC),
    ]


# --------------------------------------------------------------------------- living through


def test_a_silence_is_told_between_two_rows_at_its_own_moment(recorded):
    recording = recorded(
        "2020-05-04 07:30:00 FrontDoor OPEN\n2020-05-04 07:30:05 FrontDoor CLOSE\n"
        "2020-05-04 08:00:00 A ON\n2020-05-04 08:00:30 B ON\n2020-05-04 13:00:00 A ON\n",
        "casas",
        zone=SHANGHAI,
    )
    found = list(replay(recording, watch_over(recording.home, {"inactivity": {"learns": False}})))

    assert [(f.code, f"{f.at.astimezone(SHANGHAI):%H:%M:%S}") for f in found] == [("inactivity", "11:00:30")]


def test_a_home_that_beats_and_does_not_move_is_told_while_it_beats(recorded):
    beats = "".join(f"2020-05-04T{hour:02}:00:00,a,heartbeat,motion\n" for hour in range(8, 20))
    recording = recorded(
        "time,device,kind,value\n2020-05-04T08:00:00,a,motion,1\n2020-05-04T08:00:30,b,motion,1\n" + beats,
        "stream",
        zone=SHANGHAI,
    )
    found = list(replay(recording, watch_over(recording.home)))

    assert [f.code for f in found] == ["inactivity"]


def test_a_home_that_is_not_heard_is_not_told_as_inactive(recorded):
    beats = "".join(f"2020-05-04T{hour:02}:00:00,a,heartbeat,motion\n" for hour in range(5, 9))
    recording = recorded(
        "time,device,kind,value\n"
        + beats
        + "2020-05-04T08:10:00,a,motion,1\n2020-05-04T08:10:30,b,motion,1\n2020-05-05T08:00:00,clock,tick,\n",
        "stream",
        zone=SHANGHAI,
    )
    found = list(replay(recording, watch_over(recording.home)))

    assert {f.code for f in found} == {"home_silent"}


def test_a_recording_can_be_sent_as_a_plain_hub_would(recorded):
    recording = recorded(CASAS, "casas", exits=["Porch"], home="Flat 7")
    first = next(recording.as_publications(shift=timedelta(days=365)))

    assert first.topic == "shouwang/flat-7/plain/bedroom"
    assert json.loads(first.payload) == {"kind": "motion", "value": 1, "at": "2021-05-04T05:00:01.500Z", "seq": 1}
    assert first.at == datetime(2021, 5, 4, 5, 0, 1, 500_000, tzinfo=UTC)


def test_a_recording_sent_through_the_intake_says_the_same(recorded):
    recording = recorded(CASAS, "casas", exits=["Porch"], home="Flat 7")
    registry = MemoryRegistry(MemoryTrail())
    with registry.begin() as ledger:
        ledger.put_home(recording.home, recording.first)
    intake = Intake(registry)

    taken = [
        intake.take(Message(said.topic, said.payload, said.at), arrival)
        for arrival, said in enumerate(recording.as_publications(), 1)
    ]

    def plain(readings):
        return [(r.sensor, r.kind, r.value, r.at) for r in readings if r.value or r.kind is not Kind.MOTION]

    assert [q.detail for t in taken for q in t.quarantined] == []
    assert plain(r for t in taken for r in t.readings) == plain(recording.readings())


def test_what_is_lived_through_twice_is_the_same(recorded):
    recording = recorded(STREAM, "stream")

    assert list(recording.rows()) == list(recording.rows())
