"""What people call the codes of the house: alerts, states, duties, devices, rooms."""

from collections.abc import Callable, Mapping

from alerts import words_handling
from alerts.catalogue import N_, Catalogue
from alerts.reasons import REASONS
from alerts.wording.speech import say
from gateway.domain import Duty, Elder, Home, Kind, Outcome, Purpose, Role, Sending, Severity, State

STANDARD = Catalogue()


def alert_name(code: str, language: str, known: Catalogue = STANDARD) -> str:
    return say(language, known.entry(code).name)


def severity_name(severity: Severity, language: str) -> str:
    return say(language, _SEVERITIES[severity])


def state_name(state: State, language: str) -> str:
    return say(language, _STATES[state])


def outcome_name(outcome: Outcome, language: str) -> str:
    return say(language, _OUTCOMES[outcome])


def elder_name(elder: Elder, language: str) -> str:
    return say(language, words_handling.ELDERS[elder])


def duty_name(duty: Duty, language: str) -> str:
    return say(language, _DUTIES[duty])


def purpose_name(purpose: Purpose, language: str) -> str:
    return say(language, _PURPOSES[purpose])


def sending_name(sending: Sending, language: str) -> str:
    return say(language, _SENDINGS[sending])


def reason_text(reason: str, language: str) -> str:
    """Why a message was not sent: our own words in the reader's language, the provider's as they came."""
    ours, colon, theirs = reason.partition(": ")
    if ours not in REASONS:
        return reason
    return say(language, ours) + (say(language, ": ") + theirs if colon else "")


def task_name(code: str, language: str) -> str:
    """What is to be noticed, as part of a sentence."""
    return say(language, _TASKS[code]) if code in _TASKS else code


def role_name(role: Role, language: str) -> str:
    return say(language, _ROLES[role])


def fault_name(code: str, language: str) -> str:
    """What is wrong with a device, in a word or two, from a code of its `Condition`."""
    return say(language, _FAULTS[code]) if code in _FAULTS else code


def kind_name(kind: str, language: str) -> str:
    """What a sign of life was, from its code; empty when it says nothing to anybody."""
    return say(language, _KINDS[kind]) if kind in _KINDS else ""


def day_name(weekday: int, language: str) -> str:
    """0 is Monday."""
    return say(language, _DAYS[weekday])


def room_name(room: str, home: Home | None) -> str:
    found = home.room(room) if home else None
    return found.name if found else room


def device_name(name: str, home: Home | None) -> str:
    found = next((sensor for sensor in home.sensors if sensor.id == name), None) if home else None
    return found.name if found and found.name else name


def named(kind: type, code: str, name: Callable[..., str]) -> str:
    """The name of a code, or the code itself when a newer program wrote it."""
    for member in kind:  # type: ignore[attr-defined]
        if code in (member.value, member.name.lower()):
            return name(member)
    return code


_SEVERITIES: Mapping[Severity, str] = {
    Severity.EMERGENCY: N_("Emergency"),
    Severity.HIGH: N_("High"),
    Severity.MEDIUM: N_("Medium"),
    Severity.CARE: N_("Care"),
    Severity.TECHNICAL: N_("Equipment"),
}
_STATES: Mapping[State, str] = {
    State.RAISED: N_("Raised"),
    State.CONFIRMING: N_("Asking the resident"),
    State.NOTIFIED: N_("Notified"),
    State.ACCEPTED: N_("Accepted"),
    State.EN_ROUTE: N_("On the way"),
    State.ON_SITE: N_("There"),
    State.RESOLVED: N_("Resolved"),
    State.FOLLOWED_UP: N_("Followed up"),
    State.CLOSED: N_("Closed"),
    State.CANCELLED: N_("Taken back by the resident"),
}
_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.REAL_EMERGENCY: N_("Real emergency"),
    Outcome.ASSISTANCE_GIVEN: N_("Help was given"),
    Outcome.ELDER_AWAY: N_("Was out"),
    Outcome.ELDER_SAFE: N_("Safe, nothing found"),
    Outcome.ACCIDENTAL_PRESS: N_("Pressed by accident"),
    Outcome.SENSOR_FAULT: N_("Device fault"),
    Outcome.SENSOR_PLACEMENT: N_("Device in the wrong place"),
    Outcome.VISITOR_OR_PET: N_("Visitor or pet"),
    Outcome.TEST_OR_DRILL: N_("Test or drill"),
    Outcome.NO_ACCESS: N_("No way in (police, locksmith)"),
    Outcome.DECEASED: N_("Deceased"),
    Outcome.DUPLICATE: N_("Duplicate"),
}
_DUTIES: Mapping[Duty, str] = {
    Duty.ELDER: N_("resident"),
    Duty.FAMILY: N_("family"),
    Duty.GRID_WORKER: N_("grid worker"),
    Duty.DEPUTY: N_("deputy"),
    Duty.KEY_HOLDER: N_("key holder"),
    Duty.NIGHT_POOL: N_("night desk"),
    Duty.SUPERVISOR: N_("supervisor"),
    Duty.COMMUNITY: N_("community desk"),
    Duty.STREET: N_("street desk"),
    Duty.DISTRICT: N_("district desk"),
    Duty.FIRE_STATION: N_("fire station"),
    Duty.DOCTOR: N_("family doctor"),
    Duty.MEDICAL: N_("contact for the hospital"),
    Duty.VOLUNTEER: N_("volunteer"),
    Duty.INSTALLER: N_("installer"),
    Duty.ADMIN: N_("administrator"),
}
_PURPOSES: Mapping[Purpose, str] = {
    Purpose.PAGE: N_("call"),
    Purpose.AGAIN: N_("happened again"),
    Purpose.TAKEN: N_("accepted by somebody"),
    Purpose.ASK: N_("question to the resident"),
    Purpose.REMIND: N_("reminder"),
    Purpose.HANDED: N_("handed over"),
    Purpose.STIRS: N_("signs of life again"),
    Purpose.OVER: N_("it is over"),
    Purpose.CARD: N_("emergency card opened"),
    Purpose.TEST: N_("test"),
    Purpose.DRILL: N_("drill"),
    Purpose.REPLY: N_("answer to an SMS"),
}
_SENDINGS: Mapping[Sending, str] = {
    Sending.WAITING: N_("waiting"),
    Sending.SENT: N_("sent"),
    Sending.FAILED: N_("failed"),
    Sending.WITHDRAWN: N_("withdrawn"),
}
_KINDS: Mapping[str, str] = {
    Kind.MOTION: N_("movement"),
    Kind.PRESENCE: N_("presence"),
    Kind.DOOR: N_("front door"),
    Kind.OPENING: N_("door or drawer"),
    Kind.BED: N_("bed"),
    Kind.CHAIR: N_("chair"),
    Kind.VIBRATION: N_("movement"),
    Kind.APPLIANCE: N_("appliance"),
    Kind.TAP: N_("water"),
    Kind.BUTTON: N_("button"),
    Kind.ASSIST: N_("assistance key"),
    Kind.SOS: N_("emergency button"),
}
_TASKS: Mapping[str, str] = {
    "sos": N_("calls for help"),
    "smoke": N_("smoke"),
    "gas": N_("gas"),
    "co": N_("carbon monoxide"),
    "leak": N_("water on the floor"),
    "fall": N_("falls"),
    "inactivity": N_("long inactivity"),
    "bath_dwell": N_("too long a stay"),
    "bed_no_return": N_("not coming back to bed"),
    "not_returned": N_("not coming home"),
    "night_exit": N_("going out at night"),
    "not_up": N_("getting up too late"),
    "wandering": N_("restless walking at night"),
    "door_open": N_("a door left open"),
    "door_not_used": N_("a door not used for days"),
    "water_low": N_("too little water used"),
    "room_temperature": N_("cold or heat"),
}
_ROLES: Mapping[Role, str] = {
    Role.MOTION: N_("motion sensor"),
    Role.PRESENCE: N_("presence radar"),
    Role.EXIT_DOOR: N_("sensor of the front door"),
    Role.OPENING: N_("door or drawer sensor"),
    Role.BED: N_("bed mat"),
    Role.CHAIR: N_("chair mat"),
    Role.APPLIANCE: N_("plug"),
    Role.TAP: N_("tap sensor"),
    Role.BUTTON: N_("button"),
    Role.SOS: N_("emergency button"),
    Role.SMOKE: N_("smoke detector"),
    Role.GAS: N_("gas detector"),
    Role.CO: N_("carbon monoxide detector"),
    Role.LEAK: N_("water detector"),
    Role.FALL: N_("fall radar"),
    Role.CLIMATE: N_("thermometer"),
    Role.WATER_METER: N_("water meter"),
    Role.VITALS: N_("vitals device"),
}
_FAULTS: Mapping[str, str] = {
    "offline": N_("silent"),
    "mute": N_("notices nothing"),
    "stuck": N_("stuck"),
    "chatter": N_("fires without a pause"),
    "faulty": N_("reports a fault"),
    "flood": N_("floods its hub"),
    "battery_low": N_("battery low"),
    "battery_unknown": N_("battery unknown: its meter has shown full for a year"),
    "link_weak": N_("radio link weak"),
    "tamper": N_("opened"),
}
_DAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
