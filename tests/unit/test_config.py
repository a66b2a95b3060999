from datetime import timedelta

import pytest

from gateway.config import ConfigError, load, problems, understood


@pytest.fixture
def sheet(tmp_path):
    def write(text):
        path = tmp_path / "shouwang.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_everything_has_a_default(tmp_path):
    settings = load(None, state=tmp_path)

    assert problems(settings) == []
    assert settings.base_url == "http://127.0.0.1:8080"


def test_nonsense_is_refused_in_sentences(sheet):
    with pytest.raises(ConfigError) as refused:
        load(sheet('[web]\nport = 99999\nprot = 1\n[broker]\nurl = "http://x"\n'))

    said = str(refused.value)
    assert "web.port" in said and "99999" in said
    assert "there is no setting 'web.prot'; there are ['base_url', 'cert', 'host', 'key', 'metrics', 'port']" in said
    assert "broker.url" in said and "mqtt://" in said


def test_a_duration_is_shown_as_it_is_written(sheet):
    shown = {name: value for name, value, _ in understood(load(sheet('[watchdog]\nafter = "PT50S"\n')))}
    with pytest.raises(ConfigError) as refused:
        load(sheet('[retention]\nreadings = "P7D"\n[watchdog]\nafter = "PT1S"\n'))

    assert (shown["watchdog.after"], shown["detectors.inactivity.by_day"]) == ("PT50S", "PT3H")
    assert "(it is 'P7D')" in str(refused.value) and "between PT10S and PT1M15S" in str(refused.value)


def test_a_misspelt_option_is_answered_with_the_right_ones(sheet):
    with pytest.raises(ConfigError, match=r"has no option \['by_dya'\]; it has .*'by_day'"):
        load(sheet('[detectors.inactivity]\nby_dya = "PT3H"\n'))


def test_an_unknown_detector_is_answered_with_the_known_ones(sheet):
    with pytest.raises(ConfigError, match="there is no detector 'inactvity'"):
        load(sheet("[detectors.inactvity]\n"))


def test_an_option_takes_the_type_of_its_constructor(sheet):
    settings = load(sheet('[detectors.inactivity]\nby_day = "PT2H"\n'))

    assert settings.detectors["inactivity"]["by_day"] == timedelta(hours=2)


def test_the_environment_overrides_the_file(sheet, monkeypatch):
    monkeypatch.setenv("SHOUWANG_WEB__PORT", "8099")

    assert load(sheet("[web]\nport = 8081\n")).web.port == 8099


def test_the_state_folder_is_named_from_the_file_s_own_place(sheet):
    path = sheet('state = "here"\n')

    assert load(path).state == path.parent / "here"


def test_how_areas_are_nested_is_a_list_of_levels(sheet):
    assert load(sheet('[areas]\nlevels = ["county 县", "village"]\n')).areas.levels == ("county 县", "village")
    for wrong in ('["county 县", "county 乡"]', "[]", '["A County"]'):
        with pytest.raises(ConfigError, match=r"areas\.levels: must be one to eight different levels"):
            load(sheet(f"[areas]\nlevels = {wrong}\n"))


def test_a_missing_file_is_said_plainly(tmp_path):
    with pytest.raises(ConfigError, match="There is no settings file"):
        load(tmp_path / "none.toml")


def test_broken_toml_is_said_with_its_place(sheet):
    with pytest.raises(ConfigError, match=r"not valid TOML.*line 1"):
        load(sheet("[web\n"))


def test_secrets_are_only_said_to_be_there(sheet):
    settings = load(sheet('[broker]\nurl = "mqtt://me:hunter2@host:1883"\n[channels.webhook]\nsecret = "hunter3"\n'))
    shown = str(understood(settings)) + repr(settings)

    assert "hunter" not in shown
    assert ("channels.webhook.secret", "(set)") in [(name, value) for name, value, _ in understood(settings)]


def test_a_bad_broker_address_does_not_show_its_password(sheet):
    with pytest.raises(ConfigError) as refused:
        load(sheet('[broker]\nurl = "http://me:hunter2@host"\n'))

    assert "hunter2" not in str(refused.value)


def test_one_port_for_two_is_a_problem(tmp_path):
    settings = load(None, state=tmp_path, web={"port": 1883})

    assert any("1883" in problem for problem in problems(settings))


def test_a_file_where_the_state_folder_should_be_is_a_problem(tmp_path):
    (tmp_path / "state").write_text("")

    assert any("has to be a folder" in problem for problem in problems(load(None, state=tmp_path / "state")))
