"""A home from nothing to gone, at the terminal: what an installer's pages do, `shouwang` does too."""

import re
import stat
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import cli
from gateway.cli import app
from gateway.config import Refused
from gateway.domain import Condition, Duty, Gap, Monitoring, Power, Role
from gateway.ports import Account, Batch, HubDevice, Session
from gateway.stores.readings import SqliteReadings
from gateway.stores.sql import SqlAccounts, SqlAlerts, SqlRegistry, open_book

EXAMPLE = Path(__file__).parents[2] / "examples" / "neighbourhood.toml"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Terminal:
    """A shell in front of one gateway's state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def __call__(self, line: str, *more: str) -> str:
        ran = CliRunner().invoke(
            app, [*line.split(), *more, "--state", str(self.state)], env={"SHOUWANG_LANGUAGE": "en"}
        )
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        self.exit_code = ran.exit_code
        assert ran.exit_code in (0, 1), ran.output
        return ran.output

    def refused(self, line: str, *more: str) -> str:
        with pytest.raises(Refused) as refusal:
            self(line, *more)
        return str(refusal.value)

    @property
    def registry(self) -> SqlRegistry:
        return SqlRegistry(self.book)

    @property
    def alerts(self) -> SqlAlerts:
        return SqlAlerts(self.book)

    @property
    def book(self):
        return open_book(f"sqlite:///{self.state}/gateway.db")

    def hear(self, **batch) -> None:
        readings = SqliteReadings(self.state / "readings.db")
        readings.commit(Batch(**batch))
        readings.close()


@pytest.fixture
def shouwang(tmp_path):
    terminal = Terminal(tmp_path / "state")
    terminal("homes import", str(EXAMPLE))
    return terminal


def test_a_home_from_nothing(shouwang):
    shouwang("homes open zhou --grid g-01 --code B-1", "--name", "周爷爷")
    shouwang("homes room zhou hall --kind hall", "--name", "门口")
    shouwang("homes room zhou attic")
    shouwang("homes room zhou attic --remove")
    made = shouwang("hubs add zhou")
    hub = re.search(r"user (hub-\w+)\npassword \S{22,}", made)[1]
    device = HubDevice(hub, "0x00158d0001a2b3ff", "door_1", "MCCGQ11LM", "Aqara", Power.BATTERY)
    shouwang.hear(devices=[device])
    assert "0x00158d0001a2b3ff" in shouwang("devices inbox")
    shouwang(f"devices add zhou door --address 0X00158D0001A2B3FF --room hall --role exit_door --hub {hub}")
    shouwang("homes state zhou trial --until 2126-03-15")

    zhou = shouwang.registry.home("zhou")
    assert zhou.state is Monitoring.TRIAL
    assert zhou.trial_until == datetime(2126, 3, 14, 16, tzinfo=UTC), "midnight in that home"
    assert [(s.address, s.role, s.model, s.power) for s in zhou.sensors] == [
        ("0x00158d0001a2b3ff", Role.EXIT_DOOR, "MCCGQ11LM", Power.BATTERY)
    ]
    assert "0x00158d0001a2b3ff" not in shouwang("devices inbox")
    assert "registered" in shouwang("devices")
    assert "learning until 2126-03-15" in shouwang("homes list")


def test_the_life_of_a_device(shouwang):
    shouwang("devices replace wang door --address 0x00158d00ffffffff")
    shouwang("devices move wang door bedroom")
    assert "0x00158d00ffffffff" in shouwang("devices list wang")

    shouwang("devices remove wang door --why", "房间改装")
    assert "0x00158d00ffffffff" not in shouwang("devices list")
    assert len(shouwang.registry.installations("wang")) == 1


def test_devices_are_checked(shouwang):
    heard = Condition(
        home="wang", sensor="door", heard=NOW, battery=14.2, empty_at=NOW, link=80, faults=("battery_low",)
    )
    gap = Gap(home="wang", what="inactivity", why="sensor_silent", since=NOW, room="bedroom", sensor="bedroom-motion")
    shouwang.hear(conditions=[heard], gaps={"wang": (gap,)})

    said = shouwang("devices check wang")

    assert shouwang.exit_code == 1
    assert "heard 03-01 08:00, battery 14 %, empty in 0 days, link 80  ! battery_low" in said
    assert "never heard" in said
    shown = shouwang("homes show wang")
    assert "battery_low" in shown and "\n  ! " in shown
    shouwang("devices check liu")
    assert shouwang.exit_code == 0


def test_maintenance_pause_and_the_end(shouwang):
    shouwang("homes maintain wang --minutes 30 --test button --why", "换电池")
    assert "plan maintenance = button" in shouwang("homes show wang")
    shouwang("homes maintain wang --end")
    shouwang("homes state wang paused --until 2126-01-01 --why", "住院")
    assert "plan pause = guarded until 2126-01-01 00:00, cli: 住院" in shouwang("homes show wang")
    shouwang("homes state wang retired --why moved")

    assert shouwang.registry.home("wang").state is Monitoring.RETIRED


def test_hubs_come_and_go(shouwang):
    first = shouwang("hubs secret hub-7f3a")
    assert "password" in first
    replaced = shouwang("hubs replace wang hub-7f3a")
    new = re.search(r"user (hub-\w+)", replaced)[1]
    assert f"{new:24} wang" in shouwang("hubs list")
    assert {sensor.hub for sensor in shouwang.registry.home("wang").sensors} == {new}
    shouwang(f"hubs revoke {new}")
    assert "no secret" in shouwang("hubs list")
    assert "still hang" in shouwang.refused(f"hubs remove wang {new}")
    shouwang("hubs add wang --id hub-spare")
    shouwang("hubs remove wang hub-spare")


def test_a_kit_holds_a_new_secret_and_is_for_this_user_only(shouwang, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOUWANG_BROKER__PUBLIC", "mqtt://watch.example.org:1883")
    kit = tmp_path / "hub.zip"
    shouwang("hubs secret hub-7f3a")
    before = shouwang.registry.hub_secrets()
    assert "no folder" in shouwang.refused("hubs kit hub-7f3a", str(tmp_path / "nowhere" / "hub.zip"))
    assert shouwang.registry.hub_secrets() == before, "a kit that cannot be written costs no secret"

    said = shouwang("hubs kit hub-7f3a", str(kit))

    assert stat.S_IMODE(kit.stat().st_mode) == 0o600
    with zipfile.ZipFile(kit) as packed:
        assert any(name.startswith("hub-hub-7f3a/") for name in packed.namelist())
    assert "password" not in said
    assert shouwang.registry.hub_secrets() != before


@pytest.mark.parametrize("to", ["all.zip", "all.toml", "folder"])
def test_what_is_exported_can_be_imported(shouwang, tmp_path, to):
    shouwang("homes export", str(tmp_path / to))
    version = shouwang.registry.version()

    said = shouwang("homes import", str(tmp_path / to))

    written = (tmp_path / to).iterdir() if to == "folder" else [tmp_path / to]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert "0 homes changed" in said
    assert shouwang.registry.version() == version
    elsewhere = Terminal(tmp_path / "elsewhere")
    elsewhere("homes import", str(tmp_path / to))
    assert elsewhere.registry.homes() == shouwang.registry.homes()


def test_a_table_with_mistakes_is_refused_whole_and_a_check_changes_nothing(shouwang, tmp_path):
    sheet = tmp_path / "homes.csv"
    sheet.write_text("编号,名称,网格\nzhou,周爷爷,g-01\nwu,吴,g-99\n", encoding="gbk")
    assert "homes.csv row 3, column 网格: There is no grid 'g-99'" in shouwang.refused("homes import", str(sheet))

    sheet.write_text("编号,名称,网格\nzhou,周爷爷,g-01\n", encoding="gbk")
    assert "1 homes changed" in shouwang("homes import --check", str(sheet))
    assert shouwang.registry.home("zhou") is None
    assert "There is no table in" in shouwang.refused("homes import", str(tmp_path / "state"))
    assert "There is no file" in shouwang.refused("homes import", str(tmp_path / "nowhere.csv"))


def test_an_installer_is_registered_and_invited(shouwang):
    shouwang(
        "people put sun --phone 13800001111 --duty installer:g-01 --reach webhook:https://example.org/x",
        "--name",
        "孙工",
    )
    assert "installer g-01  13800001111  webhook" in shouwang("people list")
    shouwang("people put sun --language en")
    assert shouwang.registry.phones("sun") == ("13800001111",)

    assert re.search(r"/join/\S{30,}", shouwang("people invite sun --grid g-01"))
    assert "/join/" in shouwang("people invite qian --duty grid_worker --name", "钱")
    assert shouwang.registry.duties("qian", NOW + timedelta(days=36500)) == [(Duty.GRID_WORKER, "")]
    assert "name them with --name" in shouwang.refused("people invite nobody")
    assert "no grid or area 'g-99'" in shouwang.refused("people invite sun --grid g-99")
    assert "Nobody signs in as 'doctor'" in shouwang.refused("people invite sun --duty doctor")
    assert "nobody 'wei'" in shouwang.refused("people invite wei --duty family --name 王薇")
    assert "/join/" in shouwang("people invite sun --duty family")


def test_the_residents_file_is_kept_and_whoever_reads_it_is_written_down(shouwang):
    assert "No resident is registered" in shouwang.refused("homes profile wang")
    shouwang("people put wang-elder --name", "王桂芳")
    shouwang("homes change wang --person wang-elder")
    shouwang("homes profile wang --born 1938 --living alone --dementia --conditions", "高血压，降压药")
    shouwang("homes profile wang --risk high --no-dementia")
    shouwang("homes profile wang --living", "")

    said = shouwang("homes profile wang --who zhao")

    assert re.search(r"birth_year +1938\n", said) and "高血压，降压药" in said
    assert re.search(r"living +-\n", said) and re.search(r"dementia +-\n", said)
    (read,) = [act for act in shouwang.alerts.acts("wang-elder") if act.what == "profile.read"]
    assert read.who == "zhao"


def test_contacts_are_called_in_their_order(shouwang):
    for contact in shouwang.registry.contacts("wang"):
        shouwang(f"homes contacts wang remove {contact.person}")
    shouwang("homes contacts wang add xiaomei --relation child --phone 13800002222 --may-see alerts --name", "王小梅")
    shouwang("homes contacts wang add lao-li --relation neighbour --phone 13800003333 --place 1 --name", "老李")
    shouwang("homes contacts wang add xiaomei --relation child --hours 08:00-22:00")

    assert shouwang("homes contacts wang") == (
        "lao-li  neighbour  老李  13800003333\n"
        "xiaomei  child  王小梅  13800002222  08:00-22:00  sees alerts\n"
    )  # fmt: skip
    shouwang("homes contacts wang remove lao-li")
    assert [c.person for c in shouwang.registry.contacts("wang")] == ["xiaomei"]
    assert "is no contact of home 'wang'; there are ['xiaomei']" in shouwang.refused(
        "homes contacts wang remove lao-li"
    )
    assert "There is nobody 'ghost'" in shouwang.refused("homes contacts wang add ghost --relation child")


def test_what_was_agreed_to_can_be_taken_back(shouwang):
    shouwang("people put wang-elder --name", "王桂芳")
    number = shouwang("people consents wang-elder give --purpose health --evidence 3-17").strip()
    assert "holds" in shouwang("people consents wang-elder")
    assert "--why" in shouwang.refused(f"people consents wang-elder withdraw {number}")
    shouwang(f"people consents wang-elder withdraw {number} --why", "本人要求")

    assert "health" in shouwang("people consents wang-elder") and "withdrawn" in shouwang("people consents wang-elder")
    (act,) = [act for act in shouwang.alerts.acts("wang-elder") if act.what == "consent.withdraw"]
    assert (act.who, act.why) == ("cli", "本人要求")
    assert "withdrawn already" in shouwang.refused(f"people consents wang-elder withdraw {number} --why x")


def test_a_lost_password_and_a_first_one(shouwang):
    assert "/setup/" in shouwang("link")
    assert "There is no account" in shouwang.refused("link --reset chen")

    account = Account(login="chen", password_hash="x", person="chen", duty=Duty.ADMIN, created_at=NOW)
    SqlAccounts(shouwang.book).put(account)

    assert "/join/" in shouwang("link --reset chen")
    assert "--reset LOGIN" in shouwang.refused("link")
    assert "--reset chen" in shouwang.refused("people invite chen")


def test_an_account_is_shut_and_its_sessions_end(shouwang):
    accounts = SqlAccounts(shouwang.book)
    accounts.put(Account(login="chen", password_hash="x", person="chen", duty=Duty.ADMIN, created_at=NOW))
    accounts.put_invitation("i", "reset:admin::chen:chen", NOW + timedelta(days=365_000))
    late = NOW + timedelta(days=365_000)
    accounts.open_session(
        Session(token_hash="t", login="chen", created_at=NOW, expires_at=late, seen_at=NOW, browser="Edge")
    )
    assert re.search(r"chen +admin +- +Edge", shouwang("people account"))

    assert "shut since" in shouwang("people account chen --shut")

    assert (accounts.sessions("chen", NOW), accounts.invitations(NOW)) == ([], [])
    assert "shut since" not in shouwang("people account chen --open --sign-out")
    assert "no account 'li'" in shouwang.refused("people account li")
    assert "not both" in shouwang.refused("people account chen --open --shut")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("homes show nowhere", "There is no home 'nowhere'"),
        ("homes open wang --name x --grid g-01", "There is a home 'wang' already"),
        ("homes open zhou --name x --grid g-01 --zone Mars", "'Mars' is no time zone"),
        ("homes change wang --grid g-99", "There is no grid 'g-99'"),
        ("homes room wang x --kind dungeon", "'dungeon' is no kind of room"),
        ("homes state wang asleep", "'asleep' is no state of a household"),
        ("homes state wang paused", "say why"),
        ("homes state wang guarded --until 2126-01-01", "has no end"),
        ("homes state wang trial --until soon", "is no date"),
        ("homes maintain wang --minutes 500 --why x", "within four hours"),
        ("homes export x --language fr", "no language of ours"),
        ("hubs secret hub-x", "There is no hub 'hub-x'"),
        ("devices add wang d2 --address 0x1 --room hall --role motion", "must be an IEEE address"),
        ("devices add wang d2 --address x --room hall --role siren", "'siren' is no role"),
        ("devices replace wang window --address x", "There is no device 'window'"),
        ("people put sun --name Sun --duty cook:g-01", "'cook' is no duty"),
        ("people consents sun sign", "'sign' is no step"),
        ("people consents sun give --purpose fun --evidence x", "'fun' is nothing one agrees to here"),
        ("people consents sun give --purpose health", "where the signed sheet lies"),
        ("homes contacts wang call", "'call' is no step"),
        ("homes contacts wang add sun --relation boss", "'boss' is no relation"),
        ("homes profile wang --living upstairs", "'upstairs' is no way of living"),
    ],
)
def test_what_was_asked_wrongly_is_answered_with_a_sentence(shouwang, line, sentence):
    assert sentence in shouwang.refused(line)


def test_what_runs_for_months_goes_without_docstrings_where_that_is_kept(tmp_path, monkeypatch):
    kept = tmp_path / "__pycache__" / "app.cpython.opt-2.pyc"
    monkeypatch.setattr(cli.importlib.util, "cache_from_source", lambda source, optimization: kept)
    monkeypatch.setattr(cli.sys, "dont_write_bytecode", True)
    monkeypatch.setattr(cli.sys, "prefix", str(tmp_path))

    assert cli._frugal() == []

    kept.parent.mkdir()
    kept.touch()
    assert cli._frugal() == ["-OO", "-X", "no_debug_ranges"]

    (tmp_path / "pycache").mkdir()
    assert cli._frugal() == ["-OO", "-X", "no_debug_ranges", "-X", f"pycache_prefix={tmp_path}/pycache"]
