"""What the installer reads: rooms, devices, states, faults and readings as one would say them on the ladder."""

from alerts import wording
from dashboard.words import N_, Tongue
from gateway.domain import (
    Kind,
    Leaving,
    Monitoring,
    Reading,
    Role,
    RoomKind,
)

ROOMS: tuple[tuple[str, RoomKind, str], ...] = (
    ("living", RoomKind.LIVING, N_("Living room")),
    ("bedroom", RoomKind.BEDROOM, N_("Bedroom")),
    ("bathroom", RoomKind.BATHROOM, N_("Bathroom")),
    ("kitchen", RoomKind.KITCHEN, N_("Kitchen")),
    ("hall", RoomKind.HALL, N_("Hall")),
    ("bedroom-2", RoomKind.BEDROOM, N_("Second bedroom")),
    ("balcony", RoomKind.OTHER, N_("Balcony")),
    ("storage", RoomKind.OTHER, N_("Storage room")),
)
DEVICES = {
    Role.MOTION: (N_("motion sensor"), ""),
    Role.EXIT_DOOR: (N_("front door contact"), ""),
    Role.SOS: (N_("emergency button"), N_("button or pull cord")),
    Role.BED: (N_("bed mat"), ""),
    Role.CHAIR: (N_("chair mat"), ""),
    Role.PRESENCE: (N_("presence radar"), ""),
    Role.FALL: (N_("fall radar"), ""),
    Role.SMOKE: (N_("smoke detector"), ""),
    Role.GAS: (N_("gas detector"), ""),
    Role.CO: (N_("carbon monoxide detector"), ""),
    Role.LEAK: (N_("leak sensor"), ""),
    Role.OPENING: (N_("door contact"), N_("cupboard, fridge, inner door")),
    Role.APPLIANCE: (N_("metering plug"), N_("kettle, cooker, television")),
    Role.TAP: (N_("tap sensor"), ""),
    Role.WATER_METER: (N_("water meter"), ""),
    Role.CLIMATE: (N_("thermometer"), ""),
    Role.VITALS: (N_("vitals device"), N_("cuff, oximeter, glucose meter, scales")),
    Role.BUTTON: (N_("plain button"), N_("not for emergencies")),
}
"""What a device is for, as one would say it on the ladder: its noun, and a hint where that is not enough."""

STATES = {
    Monitoring.REGISTERED: N_("being installed"),
    Monitoring.TRIAL: N_("on trial"),
    Monitoring.GUARDED: N_("guarded"),
    Monitoring.PAUSED: N_("paused"),
    Monitoring.RETIRED: N_("retired"),
}
LEAVING = {
    Leaving.MOVED: N_("moved away"),
    Leaving.HOSPITAL: N_("in hospital for long"),
    Leaving.NURSING_HOME: N_("moved to a nursing home"),
    Leaving.DIED: N_("died"),
    Leaving.WITHDRAWN: N_("does not want it any more"),
}
PAUSES = (N_("away for a while"), N_("in hospital"), N_("building work"), N_("equipment trouble"))
REMOVALS = (N_("broken"), N_("not needed any more"), N_("registered by mistake"), N_("taken to another home"))
FAULTS = {
    "offline": N_("not heard for too long"),
    "mute": N_("heard, but its function is silent"),
    "stuck": N_("stuck"),
    "chatter": N_("says too much"),
    "faulty": N_("says itself that it is faulty"),
    "flood": N_("floods its hub"),
    "battery_low": N_("battery low"),
    "battery_unknown": N_("its battery figure does not move"),
    "link_weak": N_("weak signal"),
    "tamper": N_("was opened"),
    "mains": N_("without mains power"),
    "clock": N_("wrong clock"),
}
SAID = {
    "registered": N_("Registered."),
    "slow": N_(
        "Registered, and it works. Its hub could not be asked to give it the fast lane for emergencies:"
        " open the device later and try again."
    ),
    "saved": N_("Saved."),
    "renamed": N_("The hub has been asked to give it the fast lane for emergencies."),
    "not-renamed": N_("The hub could not be asked. The device works; after an outage it is only slower."),
    "joining": N_("The hub takes new devices in for two minutes. Start pairing on the device now."),
    "not-joining": N_("The hub could not be asked. Is it connected? Try again, or open pairing on the hub itself."),
    "replaced": N_("Replaced. What was learnt from the old one stays."),
    "removed": N_("Removed."),
    "revoked": N_("This hub has no access any more. No other home was touched."),
    "hub-removed": N_("The hub is removed."),
    "photo": N_("The picture is kept."),
    "no-photo": N_("That is no JPEG or PNG picture of at most 2 MB. Nothing was kept."),
    "many-photos": N_("This home has enough pictures. Nothing was kept."),
}


FIGURES = {
    Kind.BATTERY: N_("battery {n:.0f} %"),
    Kind.VOLTAGE: N_("{n:.2f} volts"),
    Kind.LINK: N_("signal {n:.0f} of 255"),
    Kind.TEMPERATURE: N_("{n:.1f} °C"),
    Kind.HUMIDITY: N_("humidity {n:.0f} %"),
    Kind.ILLUMINANCE: N_("{n:.0f} lux"),
    Kind.POWER: N_("{n:.0f} watts"),
    Kind.WATER: N_("{n:.1f} litres"),
    Kind.SYSTOLIC: N_("systolic {n:.0f} mmHg"),
    Kind.DIASTOLIC: N_("diastolic {n:.0f} mmHg"),
    Kind.HEART_RATE: N_("heart rate {n:.0f}"),
    Kind.SPO2: N_("oxygen {n:.0f} %"),
    Kind.GLUCOSE: N_("blood sugar {n:.1f} mmol/l"),
    Kind.WEIGHT: N_("{n:.1f} kg"),
    Kind.BODY_TEMPERATURE: N_("body {n:.1f} °C"),
}
EQUIPMENT = {
    Kind.BATTERY_LOW: (N_("battery low"), N_("battery in order")),
    Kind.AVAILABLE: (N_("can be reached"), N_("cannot be reached")),
    Kind.SELF_TEST: (N_("tests itself"), N_("self-test over")),
    Kind.ALIVE: (N_("was heard, nothing new"), N_("was heard, nothing new")),
    Kind.CUT: (N_("says too much"), N_("says too much")),
}


def in_words(tongue: Tongue, reading: Reading) -> str:
    """One reading for whoever tests a device: what happened, or the figure."""
    if reading.kind in FIGURES:
        return tongue.say(FIGURES[reading.kind], n=reading.value)
    if reading.kind in EQUIPMENT:
        on, off = EQUIPMENT[reading.kind]
        return tongue.say(on if reading.value else off)
    return tongue.happening(reading.kind, reading.value)


def function_name(tongue: Tongue, kind: Kind) -> str:
    """What a device can do, as a noun."""
    if kind.value in list(Role):
        return tongue.role(Role(kind.value))
    return wording.kind_name(kind.value, tongue.language) or kind.value
