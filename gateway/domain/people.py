"""The resident's own file, the people around a household, and what the resident has agreed to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Sex(StrEnum):
    UNKNOWN = ""
    FEMALE = "female"
    MALE = "male"


class Living(StrEnum):
    """How somebody lives: 独居, 空巢, 留守, 与家人同住."""

    UNKNOWN = ""
    ALONE = "alone"
    COUPLE = "couple"  # 空巢: two old people, no children in the house
    LEFT_BEHIND = "left_behind"  # 留守: with grandchildren, the children work elsewhere
    FAMILY = "family"


class Ability(StrEnum):
    """The grade of an assessment of ability (GB/T 42195): 能力完好, 轻度, 中度, 重度失能, 完全失能."""

    UNKNOWN = ""
    ABLE = "able"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    TOTAL = "total"


class Risk(StrEnum):
    """How often somebody has to be visited: 高风险 weekly, 重点 monthly, 一般 quarterly."""

    UNKNOWN = ""
    HIGH = "high"
    KEY = "key"
    GENERAL = "general"


class Hearing(StrEnum):
    UNKNOWN = ""
    GOOD = "good"
    POOR = "poor"
    DEAF = "deaf"


class Answers(StrEnum):
    """By what means an elder can answer when asked; without any, nobody waits for an answer."""

    NONE = ""
    BUTTON = "button"
    SPEAKER = "speaker"
    PHONE = "phone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """老年人档案. Sensitive: it is shown only to those who go there."""

    person: str
    birth_year: int | None = None
    sex: Sex = Sex.UNKNOWN
    living: Living = Living.UNKNOWN
    ability: Ability = Ability.UNKNOWN
    risk: Risk = Risk.UNKNOWN
    conditions: str = ""  # illnesses and medicines, in the words of whoever noted them
    dialect: str = ""
    hearing: Hearing = Hearing.UNKNOWN
    answers_by: Answers = Answers.NONE
    hospital: str = ""  # where to, if it comes to that
    dementia: bool = False  # leaving the home at night is then an emergency

    def without_health(self) -> "Profile":
        """What is left when nobody may keep anything about their health."""
        return replace(self, conditions="", hearing=Hearing.UNKNOWN, hospital="", dementia=False)


class Relation(StrEnum):
    """What somebody is to a household.

    子女, 配偶, 亲属, 邻居, 钥匙保管人, 就医联系人, 家庭医生, 联点干部, 物业, 志愿者.
    """

    CHILD = "child"
    SPOUSE = "spouse"
    RELATIVE = "relative"
    NEIGHBOUR = "neighbour"
    KEY_HOLDER = "key_holder"
    MEDICAL = "medical"
    DOCTOR = "doctor"
    CADRE = "cadre"
    PROPERTY = "property"
    VOLUNTEER = "volunteer"


class Sight(StrEnum):
    """How much of a household's days a contact may be shown at most; each part of it only while the resident agrees."""

    NOTHING = ""
    CALM = "calm"  # 今天平安: one sentence a day
    ALERTS = "alerts"
    ALL = "all"


class Look(StrEnum):
    """One thing that a resident agrees to have shown to one person: the purpose of a consent that names a viewer."""

    CALM = "see_calm"  # 今天平安: one sentence, and whether the devices are in order
    ALERTS = "see_alerts"  # what happens when something is wrong, and being told of it
    DAYS = "see_days"  # the day in words, sleep and outings
    TIMELINE = "see_timeline"  # every movement with its minute


LOOKS: Mapping[Sight, tuple[Look, ...]] = {
    Sight.NOTHING: (),
    Sight.CALM: (Look.CALM,),
    Sight.ALERTS: (Look.CALM, Look.ALERTS),
    Sight.ALL: (Look.CALM, Look.ALERTS, Look.DAYS, Look.TIMELINE),
}
"""What each measure of sight can hold at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody around a household, in the order in which they are to be called (`place` from 0)."""

    home: str
    person: str
    relation: Relation
    place: int = 0
    hours: str = ""  # when they can be called, "08:00-22:00"; empty: at any time
    may_see: Sight = Sight.NOTHING
    phones: tuple[str, ...] = ()  # the person's own, first choice first
    is_far: bool = False  # too far away to come: whoever accepts from there coordinates, and others are called on


class Elder(StrEnum):
    """How a resident is when somebody looks in again after an alert: 平安, 需帮助, 住院, 搬离, 离世, 未联系上."""

    WELL = "well"
    NEEDS_HELP = "needs-help"
    IN_HOSPITAL = "in-hospital"
    MOVED = "moved"
    DECEASED = "deceased"
    NOT_REACHED = "not-reached"


HEALTH = "health"
"""The purpose of a consent to keep what a profile says about illnesses, hearing and hospital."""


ENTRY = "entry"
"""The purpose of a consent to a lock that is opened, or a door broken, when nobody opens in an emergency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """知情同意: to what purpose and wording, when and by whom (the elder, or a guardian), on what evidence."""

    person: str
    purpose: str
    version: str
    given_at: datetime
    given_by: str
    evidence: str = ""
    withdrawn_at: datetime | None = None
    viewer: str = ""  # to whom, where it is about one person who looks (`Look`)
    number: int = 0  # drawn by the store

    @property
    def holds(self) -> bool:
        return self.withdrawn_at is None


def looks(person: str, contacts: Iterable[Contact], consents: Iterable[Consent]) -> frozenset[Look]:
    """What this person may be shown: no more than is noted in the list of contacts, and of that what the resident
    agrees to now."""
    agreed = {consent.purpose for consent in consents if consent.viewer == person and consent.holds}
    most = {look for contact in contacts if contact.person == person for look in LOOKS[contact.may_see]}
    return frozenset(look for look in most if look.value in agreed)


def is_declined(person: str, look: Look, consents: Iterable[Consent]) -> bool:
    """The resident once agreed that this person is shown it, and has taken it back: a word of their own, unlike never
    having been asked."""
    said = [consent for consent in consents if (consent.viewer, consent.purpose) == (person, look.value)]
    return bool(said) and not any(consent.holds for consent in said)
