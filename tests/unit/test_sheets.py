"""Tables in and out: what a community's clerk sends as a spreadsheet is taken whole or refused cell by cell."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.domain import (
    Ability,
    Answers,
    Area,
    Contact,
    Duty,
    Grid,
    Hearing,
    Home,
    Hub,
    Living,
    Monitoring,
    Person,
    Position,
    Power,
    Profile,
    Reach,
    Relation,
    Risk,
    Role,
    Room,
    RoomKind,
    Sensor,
    Sex,
    Sight,
)
from gateway.registry import LEARNING, RegistrationError, Registry
from gateway.sheets import read, write_csv, write_toml, write_zip
from gateway.stores.memory import MemoryRegistry

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
BY = {"who": "chen", "now": NOW}
SHANGHAI = ZoneInfo("Asia/Shanghai")
WANG = Home(
    id="wang",
    code="A-101",
    name="王奶奶",
    grid="g-01",
    zone=SHANGHAI,
    state=Monitoring.TRIAL,
    rooms=(Room(id="bedroom", name="卧室", kind=RoomKind.BEDROOM), Room(id="hall", name="门口", kind=RoomKind.HALL)),
    hubs=(Hub(id="hub-7f3a", home="wang"), Hub(id="hub-old", home="wang", interval=None)),
    sensors=(
        Sensor(
            id="door",
            hub="hub-7f3a",
            address="0x00158d0001a2b3c4",
            name="大门",
            room="hall",
            role=Role.EXIT_DOOR,
            inverted=True,
            model="MCCGQ11LM",
            power=Power.BATTERY,
        ),
        Sensor(id="cord", hub="hub-7f3a", address="sos/cord", name='拉绳 "红", 长', room="bedroom", role=Role.SOS),
    ),
    address="=幸福里 3 号楼, 101",
    access="-钥匙在邻居\n门铃坏了",
    person="wang-fang",
    trial_until=datetime(2026, 3, 14, 16, tzinfo=UTC),
    position=Position(30.25741, 120.20511),
)
PROFILE = Profile(
    person="wang-fang",
    birth_year=1941,
    sex=Sex.FEMALE,
    living=Living.ALONE,
    ability=Ability.MODERATE,
    risk=Risk.HIGH,
    conditions="'@高血压",
    dialect="吴语",
    hearing=Hearing.POOR,
    answers_by=Answers.BUTTON,
    hospital="市一",
    dementia=True,
)


@pytest.fixture
def store():
    return MemoryRegistry()


@pytest.fixture
def registry(store):
    return Registry(store, lambda secret: f"hash of {secret}")


@pytest.fixture
def community(registry, store):
    """One of everything, with cells that spreadsheets are known to spoil."""
    registry.register(
        areas=[
            Area(code="330106", name="西湖区", level="district"),
            Area(code="330106001001", name="幸福里", level="community", parent="330106"),
        ],
        grids=[Grid(code="g-01", name="第一网格", community="330106001001")],
        people=[
            (Person(id="wang-fang", name="王芳"), []),
            (
                Person(
                    id="li", name="李伟", language="en", reaches=(Reach(channel="webhook", address="https://x/?key=1"),)
                ),
                [(Duty.GRID_WORKER, "g-01"), (Duty.SUPERVISOR, "")],
            ),
        ],
        homes=[WANG, Home(id="liu", code="", name="刘爷爷", grid="g-01", zone=SHANGHAI, state=Monitoring.REGISTERED)],
        secrets={"hub-7f3a": "s" * 22},
        **BY,
    )
    registry.put_profile(PROFILE, **BY)
    contacts = [
        Contact(home="wang", person="li", relation=Relation.KEY_HOLDER, phones=("+86 13800001111", "0571-88880000")),
        Contact(home="wang", person="li", relation=Relation.CHILD, hours="08:00-22:00", may_see=Sight.ALERTS),
    ]
    registry.put_contacts("wang", contacts, **BY)
    return store


def table(text: str) -> bytes:
    return text.strip().replace("    ", "").encode()


def take(registry, **files: str) -> None:
    registry.import_files({f"{name}.csv": table(text) for name, text in files.items()}, **BY)


def complaints(registry, store, **files: str) -> list[str]:
    """What is said against these tables; and nothing of them may have been taken."""
    before, acts = store.version(), len(store.trail.acts)
    with pytest.raises(RegistrationError) as refusal:
        take(registry, **files)
    assert (store.version(), len(store.trail.acts)) == (before, acts)
    return str(refusal.value).splitlines()


# ------------------------------------------------------------------ out and in again


def the_ways_out(store) -> list[dict[str, bytes]]:
    return [
        write_csv(store, LATER, "zh"),
        write_csv(store, LATER, "en"),
        {"everything.zip": write_zip(store, LATER)},
        {"everything.toml": write_toml(store, LATER).encode()},
    ]


@pytest.mark.parametrize("way", range(4), ids=["chinese", "english", "zip", "toml"])
def test_what_was_written_out_changes_nothing_when_it_is_read(community, registry, way):
    version, events = community.version(), len(community.trail.events)

    changes = registry.import_files(the_ways_out(community)[way], who="chen", now=LATER)

    assert not changes
    assert community.version() == version
    assert len(community.trail.events) == events


@pytest.mark.parametrize("way", range(4), ids=["chinese", "english", "zip", "toml"])
def test_what_was_written_out_builds_the_same_community_elsewhere(community, way):
    elsewhere = MemoryRegistry()
    Registry(elsewhere, str).import_files(the_ways_out(community)[way], **BY)

    assert elsewhere.homes() == community.homes()
    assert elsewhere.areas() == community.areas()
    assert elsewhere.grids() == community.grids()
    assert [replace(p, reaches=()) for p in community.people()] == elsewhere.people()
    assert elsewhere.profile("wang-fang") == PROFILE
    assert elsewhere.contacts("wang") == community.contacts("wang")
    assert elsewhere.duties("li", NOW) == community.duties("li", NOW)
    assert elsewhere.hub_secrets() == {}


def test_no_secret_leaves_the_house(community):
    for files in the_ways_out(community):
        for name, content in files.items():
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    content = b"".join(archive.read(entry) for entry in archive.namelist())
            text = content.decode("utf-8-sig", "replace")
            assert "hash of" not in text and "ssss" not in text
            assert "key=1" not in text, "the address of a webhook is a secret"


def test_a_spreadsheet_is_given_no_formula(community):
    for content in write_csv(community, NOW).values():
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))):
            assert not [cell for cell in row if cell[:1] in "=+-@\t\r" and cell]


def test_a_paused_home_comes_back_with_its_reason(community, registry):
    registry.set_state("wang", Monitoring.PAUSED, why="住院", **BY)
    files = write_csv(community, LATER)
    elsewhere = MemoryRegistry()
    Registry(elsewhere, str).import_files(files, **BY)

    assert elsewhere.home("wang").state is Monitoring.PAUSED
    assert [line.reason for line in elsewhere.plan("wang", NOW) if line.key == "pause"] == ["住院"]
    assert not registry.import_files(files, who="chen", now=LATER)


# ------------------------------------------------------------------ what clerks send

ROOMS = "住户,编号,名称,类型\nwang,kitchen,厨房,厨房\n"


@pytest.mark.parametrize(
    "content",
    [
        ROOMS.encode(),
        ROOMS.encode("utf-8-sig"),
        ROOMS.encode("gbk"),
        ROOMS.encode("utf-16"),
        ROOMS.replace(",", ";").encode(),
        ROOMS.replace(",", "\t").encode("utf-16"),
        ROOMS.replace("\n", "\r\n").encode("gbk"),
        ROOMS.replace("住户,编号,名称,类型", " Home ,ID,name,kind").encode(),
        (ROOMS + ",,,\n\n").encode(),
    ],
    ids=["utf-8", "bom", "gbk", "utf-16", "semicolons", "excel-unicode", "crlf", "english-headers", "empty-rows"],
)
def test_a_table_is_read_however_it_was_saved(community, registry, content):
    registry.import_files({"rooms.csv": content}, **BY)

    assert community.home("wang").rooms[-1] == Room(id="kitchen", name="厨房", kind=RoomKind.KITCHEN)
    assert community.home("wang").sensors == WANG.sensors, "what is not named stays"


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_any_byte_changed_is_read_or_refused(how):
    """A fuzzer found that Python's zipfile says a damaged archive in nine different ways."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        archive.writestr("grids.csv", "code,name,community\ng-01,一号网格,c\n")
    whole = packed.getvalue()

    for place in range(len(whole)):
        for byte in (0, whole[place] ^ 0x01, 0xFF):
            read({"x.zip": whole[:place] + bytes([byte]) + whole[place + 1 :]})
        read({"x.zip": whole[:place]})


def test_a_zip_with_a_name_of_nothing_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nnn", "x")
    nameless = packed.getvalue().replace(b"nnn", b"\0nn")

    assert read({"x.zip": nameless}).sentences()


def test_a_file_may_have_a_chinese_name_and_come_in_a_folder_of_a_zip(community, registry):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("导出/房间.csv", ROOMS.encode("gbk"))
    registry.import_files({"x.zip": packed.getvalue()}, **BY)

    assert community.home("wang").room("kitchen") is not None


def test_a_new_home_with_everything_in_one_go(community, registry):
    take(
        registry,
        homes="编号,户号,名称,网格,状态,试运行至\nzhou,B-1,周爷爷,g-01,试运行,2026/3/15\n",
        rooms="home,id,name\nzhou,hall,门口\n",
        hubs="home,id,secret\nzhou,hub-new,0123456789abcdef0123456789\n",
        devices="home,id,name,room,role,address,power\nzhou,door,大门,hall,入户门,0X00158D0001A2B3FF,电池\n",
    )
    zhou = community.home("zhou")

    assert zhou.state is Monitoring.TRIAL
    assert zhou.trial_until == datetime(2026, 3, 14, 16, tzinfo=UTC), "midnight where the home is"
    assert zhou.sensors[0] == Sensor(
        id="door",
        hub="hub-new",
        address="0x00158d0001a2b3ff",
        name="大门",
        room="hall",
        role=Role.EXIT_DOOR,
        power=Power.BATTERY,
    )
    assert community.hub_secrets()["hub-new"] == "hash of 0123456789abcdef0123456789"


def test_a_column_that_is_missing_changes_nothing_and_an_empty_cell_empties(community, registry):
    take(registry, homes="id,address\nwang,\n")

    assert community.home("wang") == replace(WANG, address="")


def test_states_change_as_if_somebody_had_said_so(community, registry):
    take(registry, homes="id,state\nwang,守护中\n")
    assert community.home("wang") == replace(WANG, state=Monitoring.GUARDED)

    take(registry, homes="id,state,why\nwang,停用,搬迁\n")
    assert community.home("wang").state is Monitoring.RETIRED
    assert ("retired", "moved") in [(line.key, line.value) for line in community.plan("wang", NOW)]
    assert community.hub_secrets() == {}

    take(registry, homes="id,state,trial_until\nwang,试运行,\n")
    assert community.home("wang").trial_until == NOW + LEARNING


def test_a_home_without_a_state_begins_by_what_hangs_in_it(community, registry):
    take(
        registry,
        homes="id,name,grid\nzhou,周,g-01\nwu,吴,g-01\n",
        rooms="home,id,name\nwu,hall,门口\n",
        hubs="home,id\nwu,hub-wu\n",
        devices="home,id,name,room,role,address\nwu,door,大门,hall,exit_door,door\n",
    )

    assert community.home("zhou").state is Monitoring.REGISTERED
    assert community.home("wu").state is Monitoring.GUARDED


def test_people_with_duties_and_telephones(community, registry):
    take(
        registry,
        people="编号,姓名,电话,职责\nsun,孙工,13911112222；0571-1234567,安装员 g-01;副手 g-01\nli,李伟,,网格员 g-01\n",
    )

    assert community.phones("sun") == ("13911112222", "0571-1234567")
    assert set(community.duties("sun", NOW)) == {(Duty.INSTALLER, "g-01"), (Duty.DEPUTY, "g-01")}
    assert community.phones("li") == ()
    assert community.duties("li", NOW) == [(Duty.GRID_WORKER, "g-01")]
    assert community.person("li").reaches != (), "no column, no change"


def test_contacts_stand_in_the_order_of_the_table(community, registry):
    take(registry, contacts="home,person,relation\nwang,li,子女\nwang,wang-fang,邻居\n")

    assert [(c.person, c.relation, c.hours) for c in community.contacts("wang")] == [
        ("li", Relation.CHILD, "08:00-22:00"),
        ("wang-fang", Relation.NEIGHBOUR, ""),
        ("li", Relation.KEY_HOLDER, ""),
    ]


def test_a_trial_run_of_the_import_changes_nothing(community, registry):
    version = community.version()

    changes = registry.import_files({"homes.csv": b"id,name\nwang,Wang\n"}, only_check=True, **BY)

    assert changes.touched == {"wang"}
    assert community.version() == version


# ------------------------------------------------------------------ what is refused, and where


def test_everything_wrong_is_said_at_once_with_file_row_and_column(community, registry):
    said = complaints(
        registry,
        community,
        homes="编号,名称,网格\nzhou,周爷爷,g-99\nWu Li,,g-01\n",
        devices="住户,编号,名称,房间,用途,地址\nwang,d1,灯,阁楼,警笛,sos button\nnobody,d2,灯,hall,烟感,x\n",
        people="id,name,phones\nsun,孙工,打给他\n",
    )

    assert [line.split(" is none of ")[0] for line in said] == [
        "devices.csv row 2, column 用途: '警笛'",
        "devices.csv row 2, column hub: Say through which hub this device speaks; the home has hub-7f3a, hub-old.",
        "devices.csv row 2, column 房间: Device 'd1' hangs in room '阁楼', which is not among bedroom, hall.",
        "devices.csv row 2, column 地址: Address 'sos button' of device 'd1' must be an IEEE address such as"
        " 0x00158d0001a2b3c4 or a topic name of letters, digits, '-', '_' and '/'; a space in a topic closes the"
        " connection.",
        "devices.csv row 3, column 住户: There is no home 'nobody'.",
        "homes.csv row 2, column 网格: There is no grid 'g-99'; register it first.",
        "homes.csv row 3, column 名称: This must not be empty.",
        "homes.csv row 3, column 编号: 'Wu Li' is no id of a home: an id is 1 to 64 of a-z, 0-9 and '-'.",
        "people.csv row 2, column phones: '打给他' is no telephone number; it looks like 13800001111 or 0571-88880000.",
    ]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "homes",
            "编号,名称,颜色\nwang,王,红\n",
            "homes.csv row 1, column 颜色: There is no such column; there are id",
        ),
        ("homes", "id,id\nwang,wang\n", "row 1, column id: This column is there twice."),
        ("homes", "name\n王\n", "row 2: The column 'id (编号)' is missing; it says which one is meant."),
        ("homes", "id,name\nzhou,周\n", "row 2: The column 'grid (网格)' is missing; a new row needs it."),
        ("homes", "id,name\nwang,王\nliu,刘\nwang,王\n", "row 4, column id: 'wang' is there twice, first in row 2"),
        ("homes", "id,name\nwang,王,x\n", "row 2: This row has more cells"),
        ("homes", "id,zone\nwang,Asia/Nowhere\n", "column zone: 'Asia/Nowhere' is no time zone"),
        ("homes", "id,state\nwang,度假\n", "column state: '度假' is none of registered (建档), trial (试运行)"),
        ("homes", "id,state\nwang,paused\n", "column why: Please say why"),
        (
            "homes",
            "id,state,why\nwang,retired,不想了\n",
            "column why: Please say why the home is given up: moved (搬迁)",
        ),
        ("homes", "id,state\nliu,guarded\n", "column state: Nothing hangs in this home yet"),
        ("homes", "id,trial_until\nwang,三月十五\n", "column trial_until: '三月十五' is no date"),
        ("homes", "id,trial_until\nwang,2026-02-30\n", "is no date"),
        ("homes", "id,code\nliu,A-101\n", "column code: The household code 'A-101' belongs to home 'wang'"),
        ("homes", "id,person\nliu,nobody\n", "column person: There is nobody 'nobody'"),
        ("hubs", "home,id\nliu,hub-7f3a\n", "row 2, column id: Hub 'hub-7f3a' already stands in home 'wang'"),
        ("hubs", "home,id\nliu,hub 7\n", "column id: Hub id 'hub 7' goes into topics"),
        ("hubs", "home,id,secret\nliu,hub-8,short\n", "column secret: The secret is too short"),
        ("hubs", "home,id,interval_s\nliu,hub-8,1\n", "column interval_s: A hub promises"),
        ("hubs", "home,id,interval_s\nliu,hub-8,oft\n", "column interval_s: 'oft' is no whole number"),
        ("devices", "home,id,address\nwang,cord,0x00158d0001a2b3c4\n", "registered already, as device 'door'"),
        ("devices", "home,id,inverted\nwang,cord,vielleicht\n", "is neither yes (是) nor no (否)"),
        ("areas", "code,name,level\n1,x,galaxy\n", "column level: 'galaxy' is none of city 市, district 区县"),
        ("areas", "code,name,level,parent\n1,x,city,330106\n", "column parent: '330106' is a district; it cannot lie"),
        ("areas", "code,name,level,parent\n1,x,street,9\n", "column parent: There is no area '9'"),
        ("grids", "code,name,community\ng-02,x,9\n", "column community: There is no area '9'"),
        ("people", "id,name,duties\nli,李,厨师 g-01\n", "column duties: '厨师' is none of grid_worker (网格员)"),
        ("people", "id,name,duties\nli,李,deputy g-99\n", "column duties: There is no grid 'g-99'"),
        ("people", "id,name,reaches\nli,李,http://x\n", "column reaches: 'http://x' is no way to reach somebody"),
        ("profiles", "person,birth_year\nli,41\n", "column birth_year: A year of birth lies between"),
        ("profiles", "person\nnobody\n", "column person: There is nobody 'nobody'"),
        ("contacts", "home,person,relation,hours\nwang,li,子女,白天\n", "column hours: '白天' are no hours"),
        ("contacts", "home,person,relation\nwang,nobody,子女\n", "column person: There is nobody 'nobody'"),
        ("contacts", "home,person,relation\nnowhere,li,子女\n", "column home: There is no home 'nowhere'"),
        ("prices", "a,b\n1,2\n", "prices.csv: This is none of our tables; they are called areas.csv (行政区划.csv)"),
        ("homes", "", "homes.csv: The file is empty"),
        ("homes", 'id,name\nwang,"王\n', "homes.csv: This is no table that can be read"),
    ],
)
def test_what_cannot_be_is_told_with_its_place_and_nothing_is_taken(community, registry, name, text, sentence):
    said = complaints(registry, community, **{name: text})

    assert any(sentence in line for line in said), said


def test_one_bad_cell_in_a_thousand_rows_takes_none(community, registry):
    rows = "".join(f"h{number},住户{number},g-01\n" for number in range(1000))

    said = complaints(registry, community, homes=f"id,name,grid\n{rows}bad,x,g-99\n")

    assert said == ["homes.csv row 1002, column grid: There is no grid 'g-99'; register it first."]
    assert community.home("h1") is None


def test_nobody_reads_a_thousand_sentences(community, registry):
    rows = "".join(f"h{number},住户{number},g-99\n" for number in range(1000))

    said = complaints(registry, community, homes=f"id,name,grid\n{rows}")

    assert len(said) == 101
    assert said[-1] == "… and 900 more."


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("homes.csv", b"\x00\x01\xff\xfe\x00", "neither UTF-8 nor GBK"),
        ("homes.csv", b"id,name\nwang,\x81", "neither UTF-8 nor GBK"),
        ("x.zip", b"PK but no zip", "no zip that can be read"),
        ("x.toml", b"[[homes", "not valid TOML"),
        ("x.toml", b"homes = 3", "must be a list of tables"),
        ("x.toml", b"[[homes]]\nid='wang'\nrooms=3", "must be a list of tables"),
        (
            "x.toml",
            b"[[homes]]\nid='wang'\ncolour='red'",
            "x.toml row homes[1], column colour: There is no such column",
        ),
        ("x.toml", b"[[homes]]\nid='wang'\n[[homes.rooms]]\nid='b c'\nname='x'", "row homes[1].rooms[1], column id:"),
        ("x.toml", b"[[people]]\nid='li'\nprofile=3", "row people[1].profile: The column 'person"),
        ("x.xlsx", b"", "none of our tables"),
    ],
)
def test_files_that_are_no_tables(community, registry, name, content, sentence):
    with pytest.raises(RegistrationError) as refusal:
        registry.import_files({name: content}, **BY)

    assert sentence in str(refusal.value)


def test_a_zip_that_would_grow_without_end_is_not_opened(community, registry):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}/homes.csv", b"\0" * 2**24)

    with pytest.raises(RegistrationError, match="too large"):
        registry.import_files({"x.zip": packed.getvalue()}, **BY)


def test_the_sentences_are_there_in_chinese(community, registry):
    with pytest.raises(RegistrationError) as refusal:
        registry.import_files({"homes.csv": b"id,grid\nwang,g-99\n"}, **BY)

    assert refusal.value.say("zh") == "homes.csv 第 2 行“grid”列：没有网格“g-99”；请先登记这个网格。"


def test_how_areas_are_nested_is_a_setting(store):
    registry = Registry(store, str, levels=("county 县", "village 村"))
    registry.import_files({"areas.csv": "代码,名称,层级,上级\n1,一县,县,\n2,二村,village,1\n".encode()}, **BY)

    assert store.areas() == [
        Area(code="1", name="一县", level="county"),
        Area(code="2", name="二村", level="village", parent="1"),
    ]
