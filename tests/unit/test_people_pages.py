"""The resident, the contacts, the consents: who may open what, and what is gone when it is taken back."""

import re
from datetime import timedelta

import pytest
from pages_house import EVENING, Rig, hidden
from test_pages import PAYLOADS, SCRIPT, text_of

from gateway.domain import Consent, Contact, Duty, Hearing, Living, Monitoring, Person, Profile, Relation, Sight
from gateway.ports import Account

AT = "/install/h1/people"


class Folder:
    """王奶奶's file, and the installer's telephone."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.by = {"who": "zhao", "now": EVENING}
        self.rig.registrar.put_person(Person(id="wang", name="王桂芳"), **self.by)
        self.rig.registrar.put_person(Person(id="zhao", name="赵工"), **self.by)
        self.rig.registrar.change_home("h1", person="wang", **self.by)
        self.browser = self.rig.signed_in("zhao", Duty.INSTALLER, "g1")

    def page(self, path: str = "") -> str:
        answer = self.browser.get(AT + path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, **form):
        csrf = hidden(self.page(), "csrf")
        return self.browser.post(AT + path, data={"csrf": csrf, **form})

    def agrees(self, purpose: str) -> int:
        consent = Consent(person="wang", purpose=purpose, version="2026-11", given_at=EVENING, given_by="wang")
        return self.rig.registrar.give_consent(consent, **self.by)

    def adds(self, name: str, phone: str, relation: str = "child", **more):
        form = {"name": name, "phone": [phone, ""], "relation": relation, **more}
        return self.post("/contacts/new", **form)

    @property
    def contacts(self) -> list[Contact]:
        return self.rig.registry.contacts("h1")

    @property
    def profile(self) -> Profile | None:
        return self.rig.registry.profile("wang")

    def reads(self) -> list[str]:
        return [act.who for act in self.rig.alerts.acts("wang") if act.what == "profile.read"]


@pytest.fixture
def folder() -> Folder:
    return Folder()


# --------------------------------------------------------------------------- who


@pytest.mark.parametrize("duty", [Duty.INSTALLER, Duty.SUPERVISOR, Duty.ADMIN])
def test_whoever_keeps_the_files_may_open_them(duty):
    folder = Folder()
    browser = folder.rig.signed_in("someone", duty)

    for path in ("", "/profile", "/health", "/contacts/new"):
        assert browser.get(AT + path).status_code == 200


@pytest.mark.parametrize("duty", [Duty.GRID_WORKER, Duty.DEPUTY, Duty.FAMILY])
def test_nobody_else_may(folder, duty):
    browser = folder.rig.signed_in("someone", duty)

    for path in ("", "/profile", "/health", "/contacts/new"):
        assert browser.get(AT + path).status_code == 403
    assert folder.rig.browser().get(AT).headers["location"].startswith("/login")


def test_not_from_another_grid_and_not_without_the_forms_own_token(folder):
    stranger = folder.rig.signed_in("qian", Duty.INSTALLER, "g2")

    assert stranger.get(AT).status_code == 404
    assert stranger.get(f"{AT}/health").status_code == 404
    assert folder.browser.post(f"{AT}/profile", data={"living": "alone"}).status_code == 403


# --------------------------------------------------------------------------- the resident


def test_the_file_is_filled_in_and_read(folder):
    form = {"birth_year": "1938", "living": "alone", "risk": "high", "answers_by": "button", "dialect": "四川话"}
    assert folder.post("/profile", **form).headers["location"] == f"{AT}?said=saved"

    shown = text_of(folder.page("?said=saved"))
    assert "已保存" in shown
    assert "1938" in shown and "独居" in shown and "高风险：每周走访" in shown and "四川话" in shown
    assert re.search(r'value="alone" checked', folder.page("/profile"))
    assert folder.profile.living is Living.ALONE


def test_a_year_that_cannot_be_is_refused_and_nothing_typed_is_lost(folder):
    for year, sentence in (("1838", "1838"), ("abcd", "四位数字")):
        answer = folder.post("/profile", birth_year=year, dialect="吴语")
        assert answer.status_code == 422
        assert sentence in text_of(answer.text) and "吴语" in answer.text
    assert folder.profile is None


def test_health_is_kept_only_by_consent_and_whoever_opens_it_is_written_down(folder):
    assert "没有同意" in folder.page("/health")
    assert folder.post("/health", conditions="高血压").status_code == 403
    assert folder.reads() == []

    folder.agrees("health")
    folder.post("/health", conditions="高血压\r\n降压药", hearing="poor", hospital="市一医院", dementia="1")

    assert "降压药" in folder.page("/health")
    assert folder.reads() == ["zhao"]
    assert folder.profile.conditions == "高血压\n降压药" and folder.profile.dementia
    for path in ("", "/profile"):
        assert "高血压" not in folder.page(path) and "市一医院" not in folder.page(path)
    assert folder.reads() == ["zhao"], "the other pages show nothing of it"


def test_with_the_consent_what_was_told_about_health_goes_too(folder):
    number = folder.agrees("health")
    folder.post("/profile", living="alone")
    folder.post("/health", conditions="高血压", hearing="poor", hospital="市一医院", dementia="1")

    assert folder.post(f"/consents/{number}/withdraw", why="本人要求").headers["location"] == f"{AT}?said=withdrawn"

    assert folder.profile == Profile(person="wang", living=Living.ALONE)
    assert folder.profile.hearing is Hearing.UNKNOWN


def test_without_a_resident_there_is_no_file_but_a_way_to_register_one(folder):
    folder.rig.registrar.change_home("h1", person="", **folder.by)

    assert f"{AT.removesuffix('/people')}/edit" in folder.page()
    assert folder.browser.get(f"{AT}/profile").status_code == 404
    assert folder.browser.get(f"{AT}/health").status_code == 404


# --------------------------------------------------------------------------- contacts


def test_contacts_are_called_in_the_order_in_which_they_stand(folder):
    folder.adds("王小梅", "13800002222", begin="08:00", end="22:00", may_see="alerts")
    folder.adds("老李", "13800003333", "neighbour")
    neighbour = folder.contacts[1].person
    assert folder.post(f"/contacts/neighbour/{neighbour}/up").status_code == 303

    shown = text_of(folder.page())

    assert shown.index("1. 老李") < shown.index("2. 王小梅")
    assert "13800002222" in shown and "08:00-22:00" in shown and "可看：预警" in shown
    assert [(c.relation, c.may_see) for c in folder.contacts] == [
        (Relation.NEIGHBOUR, Sight.NOTHING),
        (Relation.CHILD, Sight.ALERTS),
    ]


def test_a_contact_is_changed_and_taken_off_the_list(folder):
    folder.adds("王小梅", "13800002222")
    (old,) = folder.contacts
    path = f"/contacts/child/{old.person}"
    folder.post(path, name="王晓梅", phone=["13900001111", "0571-88880000"], relation="key_holder", may_see="all")

    (new,) = folder.contacts
    assert (new.person, new.relation, new.phones) == (
        old.person,
        Relation.KEY_HOLDER,
        ("13900001111", "0571-88880000"),
    )
    assert folder.rig.registry.person(new.person).name == "王晓梅"
    assert "0571-88880000" in folder.page(f"/contacts/key_holder/{new.person}")
    assert folder.browser.get(AT + path).status_code == 404

    folder.post(f"/contacts/key_holder/{new.person}/remove")
    assert folder.contacts == []


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": ""}, "要有姓名"),
        ({"relation": "boss"}, "与老人的关系"),
        ({"phone": ["", ""]}, "要有电话"),
        ({"phone": ["call me", ""]}, "call me"),
        ({"begin": "08:00"}, "起止"),
        ({"begin": "8 Uhr", "end": "abends"}, "8 Uhr"),
    ],
)
def test_a_contact_that_cannot_be_called_is_refused(folder, form, sentence):
    answer = folder.post("/contacts/new", **{"name": "老李", "phone": ["138000"], "relation": "neighbour", **form})

    assert answer.status_code == 422
    assert sentence in text_of(answer.text)
    assert folder.contacts == []


def test_nobody_is_on_the_list_as_the_same_twice(folder):
    folder.adds("王小梅", "13800002222")

    assert "已在名单上" in text_of(folder.adds("王小梅", "13800002222").text)
    folder.adds("王小梅", "13800002222", "key_holder")
    assert len({c.person for c in folder.contacts}) == 1, "the same name under the same number is the same person"


def test_whoever_works_for_us_is_not_renamed_from_a_households_page(folder):
    folder.rig.registrar.put_person(Person(id="liu", name="刘网格员"), phones=["13700001111"], **folder.by)
    folder.adds("刘网格员", "13700001111", "cadre")
    assert folder.contacts[0].person == "liu"

    assert "不在这里改" in folder.page("/contacts/cadre/liu")
    folder.post("/contacts/cadre/liu", name="Mallory", phone=["666666"], relation="cadre", may_see="calm")

    (contact,) = folder.contacts
    assert (contact.phones, contact.may_see) == (("13700001111",), Sight.CALM)
    assert folder.rig.registry.person("liu").name == "刘网格员"
    assert folder.rig.registry.person("liu").reaches == ()


@pytest.mark.parametrize("how", ["signs in", "is a contact elsewhere", "lives elsewhere"])
def test_nor_is_whoever_is_known_otherwise(folder, how):
    folder.adds("老李", "13800003333", "neighbour")
    person = folder.contacts[0].person
    if how == "signs in":
        folder.rig.accounts.put(
            Account(login=person, password_hash="x", person=person, duty=Duty.FAMILY, created_at=EVENING)
        )
    elif how == "is a contact elsewhere":
        contact = Contact(home="h2", person=person, relation=Relation.NEIGHBOUR)
        folder.rig.registrar.put_contacts("h2", [contact], **folder.by)
    else:
        folder.rig.registrar.change_home("h2", person=person, **folder.by)

    folder.post(f"/contacts/neighbour/{person}", name="Mallory", phone=["666666"], relation="neighbour")

    assert folder.contacts[0].phones == ("13800003333",)
    assert folder.rig.registry.person(person).name == "老李"


# --------------------------------------------------------------------------- what was agreed to


def test_a_consent_is_withdrawn_with_its_reason_and_stays_known(folder):
    folder.agrees("sharing")
    number = folder.agrees("whereabouts")
    folder.rig.clock.at = EVENING + timedelta(hours=1)

    assert folder.post(f"/consents/{number}/withdraw", why=" ").status_code == 422
    folder.post(f"/consents/{number}/withdraw", why="女儿来电，本人要求")

    consents = {c.number: c for c in folder.rig.registry.consents("wang")}
    assert consents[number].withdrawn_at == EVENING + timedelta(hours=1)
    (act,) = [act for act in folder.rig.alerts.acts("wang") if act.what == "consent.withdraw"]
    assert (act.who, act.why) == ("zhao", "女儿来电，本人要求")
    assert "不能继续守护" in folder.page() and "/install/h1/state" in folder.page()
    assert folder.rig.registry.home("h1").state is Monitoring.GUARDED, "giving up is a person's act"
    assert folder.post(f"/consents/{number}/withdraw", why="again").status_code == 422


def test_a_consent_given_anew_is_one(folder):
    number = folder.agrees("whereabouts")
    folder.post(f"/consents/{number}/withdraw", why="误会")
    folder.agrees("whereabouts")

    assert "不能继续守护" not in folder.page()


def test_consents_of_somebody_else_are_not_withdrawn_here(folder):
    folder.rig.registrar.put_person(Person(id="li", name="李"), **folder.by)
    consent = Consent(person="li", purpose="health", version="1", given_at=EVENING, given_by="li")
    number = folder.rig.registrar.give_consent(consent, **folder.by)

    assert folder.post(f"/consents/{number}/withdraw", why="x").status_code == 422
    assert folder.rig.registry.consents("li")[0].holds


# --------------------------------------------------------------------------- what never happens


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_people_type_becomes_part_of_a_page(folder, payload):
    folder.agrees("health")
    folder.rig.registrar.put_profile(
        Profile(person="wang", dialect=payload, conditions=payload, hospital=payload), **folder.by
    )
    folder.adds("老李", "13800003333", "neighbour")
    contact = folder.contacts[0]
    with folder.rig.registry.begin() as ledger:
        ledger.put_person(Person(id=contact.person, name=payload), EVENING)
    pages = ["", "/profile", "/health", f"/contacts/neighbour/{contact.person}"]

    for page in [folder.page(path) for path in pages]:
        assert SCRIPT not in page
        assert payload not in page or payload == "{{7*7}}", "shown as it was typed, not reckoned out"


def test_in_english(folder):
    folder.agrees("whereabouts")
    folder.adds("Mei", "13800002222", may_see="alerts")

    page = folder.browser.get(AT, headers={"accept-language": "en"}).text
    assert "son or daughter" in page and "sees: alerts" in page and "Ask for consent" in page
