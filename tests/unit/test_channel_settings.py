"""What the settings may say about channels, and what is refused at a desk rather than at three in the morning."""

from datetime import timedelta

import pytest

from alerts.channels import CHANNELS, GIVEN, needs, options_of, unreachable
from gateway.app import channels
from gateway.clock import SystemClock
from gateway.config import ConfigError, load, understood
from gateway.domain import Person, Reach

SMS = """
[channels.aliyun_sms]
access_key = "LTAI"
access_secret = "hunter2"
sign_name = "守望"
template = "SMS_1"
timeout = "PT5S"
"""


def secrets_of(kind):
    return [option for option, about in options_of(kind).items() if about.is_secret]


@pytest.fixture
def sheet(tmp_path):
    def write(text):
        path = tmp_path / "shouwang.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


async def test_a_channel_that_is_set_up_is_there(sheet):
    settings = load(sheet(SMS))

    assert settings.channels["aliyun_sms"]["timeout"] == timedelta(seconds=5)
    async with channels(settings, SystemClock()) as ready:
        assert {"console", "webhook", "wecom", "dingtalk", "feishu", "lamp", "aliyun_sms"} <= ready.keys()
        assert not {"aliyun_voice", "tencent_sms", "email", "web_push", "wecom_app"} & ready.keys()


def test_what_is_not_set_up_says_what_it_needs():
    lines = {name: meaning for name, _, meaning in understood(load())}

    assert lines["channels.email"] == "not set up; needs host, sender"
    assert "channels.webhook.timeout" in lines


@pytest.mark.parametrize("name", [name for name, kind in CHANNELS.items() if secrets_of(kind)])
def test_secrets_are_only_said_to_be_there(name, sheet):
    kind = CHANNELS[name]
    secret = secrets_of(kind)
    told = dict.fromkeys({*secret, *needs(kind)}, '"hunter2"')
    told |= {"agent_id": "1"} if "agent_id" in told else {}
    told |= {"sender": '"a@example.org"', "username": '"u"'} if name == "email" else {}
    settings = load(sheet(f"[channels.{name}]\n" + "\n".join(f"{key} = {value}" for key, value in told.items())))

    shown = {line: value for line, value, _ in understood(settings)}
    assert [shown[f"channels.{name}.{option}"] for option in secret] == ["(set)"] * len(secret)
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[channels.pigeon]\n", "there is no channel 'pigeon'; there are"),
        ('[channels.wecom]\nkey = "x"\n', r"channel 'wecom' has no option \['key'\]; it has \['base_url', 'timeout'\]"),
        ('[channels.email]\nhost = "h"\n', r"channel 'email' needs \['sender'\] too"),
        ('[channels.email]\nhost = "h"\nsender = "me"\n', "sender: an e-mail address such as"),
        ('[channels.email]\nhost = "h"\nsender = "a@b.cn"\nsecurity = "ssl"\n', "security: one of"),
        (
            '[channels.email]\nhost = "h"\nsender = "a@b.cn"\nsecurity = "none"\n'
            'username = "u"\npassword = "hunter2"\n',
            "a password is never sent in the clear",
        ),
        ('[channels.email]\nhost = "h"\nsender = "a@b.cn"\nusername = "u"\n', "username and password belong together"),
        ('[channels.webhook]\ntimeout = "soon"\n', "channel 'webhook': timeout: .*it is 'soon'"),
        ('[channels.webhook]\ntimeout = "PT1H"\n', "timeout: an answer is waited for at most"),
        (
            '[channels.dingtalk]\nbase_url = "dingtalk"\n',
            "base_url: 'dingtalk' is no address: it must begin with https://",
        ),
        ('[channels.siren]\non = "loud"\n', "on: is no JSON"),
        (SMS.replace("LTAI", "LTAI "), "access_key: holds a space or a character that stands in no key"),
        (SMS.replace("SMS_1", ""), "template: must not be empty"),
        (SMS.replace('"hunter2"', "[1]"), "access_secret: Input should be a valid string"),
        ('[channels.web_push]\ncontact = "me"\n', "contact: must begin with mailto: or https://"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(text, said, sheet):
    with pytest.raises(ConfigError, match=said) as refused:
        load(sheet(text))

    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_secret_can_come_from_the_environment(sheet, monkeypatch):
    monkeypatch.setenv("SHOUWANG_CHANNELS__ALIYUN_SMS__ACCESS_SECRET", "hunter3")
    monkeypatch.setenv("SHOUWANG_CHANNELS__ALIYUN_SMS__TEMPLATE", "1110")  # a number stays the text it was

    told = load(sheet(SMS)).channels["aliyun_sms"]
    assert (told["access_secret"], told["template"], told["access_key"]) == ("hunter3", "1110", "LTAI")


def test_every_option_can_be_written_down():
    for kind in CHANNELS.values():
        assert GIVEN.isdisjoint(options_of(kind))
        assert all(about.type is not None for about in options_of(kind).values())


def test_people_whom_nothing_can_reach_are_found():
    people = [
        Person(id="zhang", name="张师傅", reaches=(Reach(channel="aliyun_sms", address="13800138000"),)),
        Person(id="li", name="李姐", reaches=(Reach(channel="pigeon"), Reach(channel="webhook", address="nowhere"))),
        Person(id="wang", name="王主任", reaches=(Reach(channel="console"),)),
    ]

    said = list(unreachable(people, ["console", "webhook"]))
    assert [line.split(": ")[0] for line in said] == ["zhang", "li", "li"]
    assert "is not set up" in said[0] and "no channel 'pigeon'" in said[1] and "not an address" in said[2]
    assert list(unreachable(people, CHANNELS)) == said[1:]


def test_every_channel_has_a_name_that_people_read():
    from dashboard.pages import CHANNELS as NAMED

    assert CHANNELS.keys() <= NAMED.keys()
