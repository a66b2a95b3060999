"""A flat and a neighbourhood: believable to a detector, true to the byte, and the same for the same seed."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from detectors import watch_over
from gateway.domain import Kind, Role
from gateway.ports import Context, Message
from gateway.stores.memory import MemoryRegistry, MemoryTrail
from ingest.intake import Intake
from simulators.household import SHANGHAI, SMALL_KIT, WHOLE_KIT, Household, furnish
from simulators.neighbourhood import due_after, neighbourhood, silent_since
from simulators.personas import PERSONAS
from simulators.speech import Dialect, LastSeen, Publication, is_press

MIDNIGHT = datetime(2026, 3, 2, tzinfo=SHANGHAI).astimezone(UTC)
DAY = timedelta(days=1)
MORNING, NOON = MIDNIGHT + timedelta(hours=8), MIDNIGHT + timedelta(hours=12)


def flat(persona: str = "gardener", **options) -> Household:
    return furnish("h1", persona, seed=5, **options)


def said(publications: list[Publication], topic: str) -> list[dict]:
    return [json.loads(p.payload) for p in publications if p.topic.endswith("/zigbee2mqtt/" + topic)]


# --------------------------------------------------------------------------- a life


def test_the_same_seed_speaks_the_same_bytes():
    once, again = (list(flat().publications(MIDNIGHT, NOON)) for _ in range(2))

    assert once == again


def test_a_day_can_be_told_in_pieces():
    whole = list(flat().signals(MIDNIGHT, MIDNIGHT + DAY))
    pieces = [s for h in range(24) for s in flat().signals(MIDNIGHT + h * DAY / 24, MIDNIGHT + (h + 1) * DAY / 24)]

    assert pieces == whole


PLAIN = {"inactivity": {"learns": False}}
"""The rule of plain hours: what is learnt of a home has a budget of false alarms, and spends it."""


@pytest.mark.parametrize("persona", PERSONAS)
@pytest.mark.parametrize(("kit", "days"), [(WHOLE_KIT, 14), (SMALL_KIT, 7)], ids=["whole kit", "small kit"])
def test_ordinary_weeks_alarm_nobody(persona, kit, days):
    household = flat(persona, kit=kit, interval=None)
    watch = watch_over(household.home, PLAIN)
    found = [f for r in household.readings(MIDNIGHT, MIDNIGHT + days * DAY) for f in watch.observe(r, Context())]

    assert found == []


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_home_speaks_as_much_as_a_real_one(persona):
    a_week = sum(1 for _ in flat(persona).readings(MIDNIGHT, MIDNIGHT + 7 * DAY))

    assert 200 <= a_week / 7 <= 900


@pytest.mark.parametrize("persona", [name for name, persona in PERSONAS.items() if not persona.cat])
def test_nobody_is_seen_inside_while_out(persona):
    household = flat(persona)
    stays = [s for n in range(14) for s in household.stays((MIDNIGHT + n * DAY).astimezone(SHANGHAI).date())]
    fired = [r.at for r in household.readings(MIDNIGHT, MIDNIGHT + 14 * DAY) if r.kind is Kind.MOTION and r.value]

    seen = [
        at
        for stay in stays
        if stay.room is None
        for at in fired
        if stay.at + timedelta(seconds=10) < at < stay.until - timedelta(seconds=1)
    ]
    assert all(later - pulse > timedelta(minutes=2) for pulse, later in pairwise(seen))  # sun on a curtain
    assert len(seen) <= 3


def test_a_motion_sensor_is_blind_after_it_fired_and_clears_by_itself():
    household = flat()
    sensor = household.device(Role.MOTION, "kitchen")
    told = [r for r in household.readings(MIDNIGHT, MIDNIGHT + DAY) if r.sensor == sensor.sensor.id]
    motion = [r for r in told if r.kind is Kind.MOTION]

    assert [r.value for r in motion] == [1.0, 0.0] * (len(motion) // 2)
    assert all(
        off.at - on.at >= timedelta(seconds=sensor.model.clears_s)
        for on, off in zip(motion[::2], motion[1::2], strict=True)
    )


# --------------------------------------------------------------------------- bytes


def test_every_zigbee2mqtt_message_repeats_what_was_said_before():
    publications = list(flat().publications(MIDNIGHT, MIDNIGHT + DAY))
    states = said(publications, "entry/door")

    assert {"contact", "battery", "voltage", "linkquality", "last_seen"} <= set(states[0])
    assert all(set(state) == set(states[0]) for state in states)
    assert {state["contact"] for state in states} == {True, False}


def test_a_press_is_in_one_message_only():
    household = flat(kit=("sos/bedside", "living/motion")).press_sos(NOON)
    publications = list(household.publications(MORNING, NOON + DAY))
    states = said(publications, "sos/bedside")
    pressed = [state for state in states if "action" in state]

    assert len(pressed) == 1
    assert [said.at for said in publications if is_press(said)] == [NOON]
    assert pressed[0]["action"] == household.device(Role.SOS).model.press
    assert len(states) > 3  # it goes on reporting its battery


def test_a_hub_starts_by_saying_who_it_is_and_repeating_what_it_remembers():
    publications = [p for p in flat().publications(NOON, NOON + timedelta(minutes=1)) if p.at == NOON]
    devices = said(publications, "bridge/devices")[0]

    assert publications[0].topic.endswith("bridge/state")
    assert publications[0].retained
    assert {d["friendly_name"] for d in devices} >= {"entry/door", "sos/bedside", "Coordinator"}
    assert len(said(publications, "living/motion")) == 1
    assert [p.retained for p in publications if p.topic.endswith("/availability")] == [True] * len(WHOLE_KIT)


@pytest.mark.parametrize(
    ("style", "looks_like"),
    [
        (LastSeen.ISO, lambda seen: seen.endswith("Z")),
        (LastSeen.LOCAL, lambda seen: seen.endswith("+08:00")),
        (LastSeen.EPOCH, lambda seen: isinstance(seen, int) and seen > 1_700_000_000_000),
    ],
)
def test_last_seen_is_written_as_its_hub_is_told(style, looks_like):
    publications = list(flat(last_seen=style).publications(NOON, NOON + timedelta(hours=2)))

    assert all(looks_like(state["last_seen"]) for state in said(publications, "living/climate"))


def test_a_hub_that_is_not_told_to_write_last_seen_does_not():
    publications = list(flat(last_seen=LastSeen.OFF).publications(NOON, NOON + timedelta(hours=2)))

    assert all("last_seen" not in state for state in said(publications, "living/climate"))


def test_a_plain_hub_gives_time_and_counter():
    household = flat(dialect=Dialect.PLAIN)
    publications = list(household.publications(MORNING, NOON))
    door = [p for p in publications if p.topic == f"shouwang/{household.hub}/plain/living-motion"]
    counters = [json.loads(p.payload)["seq"] for p in door]

    assert counters == list(range(counters[0], counters[0] + len(counters)))
    assert all(datetime.fromisoformat(json.loads(p.payload)["at"]) == p.at for p in door)


def test_life_safety_devices_are_named_so():
    plain = flat(dialect=Dialect.PLAIN).press_sos(NOON)
    zigbee = flat().press_sos(NOON)

    for household, dialect in ((plain, "plain"), (zigbee, "zigbee2mqtt")):
        at_noon = [p.topic for p in household.publications(NOON, NOON + timedelta(seconds=1), starts=False)]
        assert [t for t in at_noon if "/sos/" in t] == [f"shouwang/{household.hub}/{dialect}/sos/bedside"]


# --------------------------------------------------------------------------- what happens


def test_the_past_is_the_same_whatever_happens_later():
    ordinary = list(flat().publications(MIDNIGHT, NOON - timedelta(minutes=21)))
    for household in (
        flat().press_sos(NOON),
        flat().fall_silent(NOON),
        flat().go_out(NOON),
        flat().hub_dark(NOON),
        flat().kill_sensor("h1-living-motion", NOON),
    ):
        assert list(household.publications(MIDNIGHT, NOON - timedelta(minutes=21))) == ordinary


def test_who_falls_silent_is_seen_last_at_that_very_moment_while_the_devices_go_on():
    household = flat().fall_silent(NOON)
    readings = list(household.readings(MIDNIGHT, NOON + DAY))
    life = [r for r in readings if r.is_life and r.kind is not Kind.MOTION]
    pulses = [r.at for r in readings if r.kind is Kind.MOTION and r.value and r.at > NOON]

    assert max(r.at for r in life) == NOON
    assert all(later - pulse > timedelta(minutes=2) for pulse, later in pairwise(pulses))  # sun on a curtain
    assert max(r.at for r in readings) > NOON + timedelta(hours=23)


def test_who_goes_out_leaves_by_the_door_and_comes_back_by_it():
    household = flat().go_out(NOON, NOON + timedelta(hours=5), "走亲戚")
    doors = [
        r.at
        for r in household.readings(NOON - timedelta(seconds=1), NOON + timedelta(hours=5, minutes=1))
        if r.kind is Kind.DOOR and r.value
    ]

    assert doors == [NOON, NOON + timedelta(hours=5)]


def test_a_dark_hub_says_nothing_and_then_starts_anew():
    household = flat().hub_dark(NOON, NOON + timedelta(hours=1))
    publications = list(household.publications(NOON - timedelta(minutes=5), NOON + timedelta(hours=2)))
    back = [p for p in publications if p.at == NOON + timedelta(hours=1)]

    assert not [p for p in publications if NOON <= p.at < NOON + timedelta(hours=1)]
    assert back[0].topic.endswith("bridge/state")


def test_a_hub_that_is_dark_for_good_ends_its_stream():
    household = flat().hub_dark(NOON)

    assert list(household.publications(NOON - timedelta(minutes=5)))[-1].at < NOON
    assert list(household.publications(NOON + DAY)) == []


def test_a_plain_contact_under_the_mattress_closes_when_she_lies_down():
    household = next(
        h
        for h in (furnish(f"h{n}", "bed_rest", seed=5) for n in range(99))
        if h.device(Role.BED).model.key == "contact"
    )
    publications = list(household.publications(MIDNIGHT, MIDNIGHT + DAY))
    in_bed = [r.value == 1 for r in household.readings(MIDNIGHT, MIDNIGHT + DAY) if r.kind is Kind.BED]
    contacts = [state["contact"] for state in said(publications, "bedroom/bed")]

    assert [contact for contact, before in zip(contacts[1:], contacts, strict=False) if contact is not before] == in_bed


def test_a_dead_sensor_is_silent_alone():
    household = flat().kill_sensor("h1-living-motion", NOON)
    later = {r.sensor for r in household.readings(NOON, NOON + DAY)}

    assert "h1-living-motion" not in later
    assert "h1-kitchen-motion" in later


def test_a_sensor_that_is_not_there_cannot_die():
    with pytest.raises(ValueError, match=r"has no sensor 'h1-attic'; it has h1-entry-door"):
        flat().kill_sensor("h1-attic", NOON)


# --------------------------------------------------------------------------- what a gateway makes of it


@pytest.mark.parametrize(
    "options",
    [
        {"last_seen": LastSeen.ISO},
        {"last_seen": LastSeen.LOCAL},
        {"last_seen": LastSeen.EPOCH},
        {"last_seen": LastSeen.OFF},
        {"chinese_names": True},
        {"dialect": Dialect.PLAIN},
    ],
    ids=lambda options: str(*options.values()),
)
@pytest.mark.parametrize("persona", ["cat_widow", "bed_rest"])
def test_the_readings_of_a_life_are_what_the_intake_makes_of_its_messages(options, persona):
    household = flat(persona, grid="", **options).press_sos(NOON)
    registry = MemoryRegistry(MemoryTrail())
    with registry.begin() as ledger:
        ledger.put_home(household.home, MIDNIGHT)
    intake = Intake(registry)

    taken = [
        intake.take(Message(said.topic, said.payload, said.at), arrival)
        for arrival, said in enumerate(household.publications(MIDNIGHT, MIDNIGHT + DAY), 1)
    ]

    assert all(t.home == "h1" and t.heard for t in taken)
    assert [q for t in taken for q in t.quarantined] == []
    assert signs_of_life(r for t in taken for r in t.readings) == signs_of_life(
        household.readings(MIDNIGHT, MIDNIGHT + DAY)
    )


def signs_of_life(readings):
    """When a motion sensor clears is the bridge's affair; what a person causes must be the same to the millisecond."""
    begun = MIDNIGHT + timedelta(hours=1)  # a first value is only remembered
    return {
        (r.sensor, r.kind, r.value, r.at)
        for r in readings
        if r.is_life and r.at >= begun and (r.value or r.kind is not Kind.MOTION)
    }


# --------------------------------------------------------------------------- the neighbourhood


def test_twelve_homes_with_their_people():
    street = neighbourhood(1, NOON)

    assert len(street.homes) == 12
    assert len({home.id for home in street.homes}) == len({home.hubs[0].id for home in street.homes}) == 12
    assert len({household.persona.key for household in street.households}) >= 6
    assert all(home.name.endswith(("奶奶", "爷爷")) for home in street.homes)
    assert len(street.staff) == 4


def test_everybody_is_registered_with_their_duty():
    street = neighbourhood(1, NOON)
    registry = MemoryRegistry(MemoryTrail())
    with registry.begin() as ledger:
        street.register(ledger)

    assert {home.id for home in registry.homes()} == {home.id for home in street.homes}
    for person, duty in street.staff:
        assert [p.id for p in registry.on_duty(street.grid.code, duty, NOON)] == [person.id]


def test_history_comes_in_order_of_time_and_ends_now():
    readings = list(neighbourhood(1, NOON).history(timedelta(days=2)))

    assert [r.arrival for r in readings] == list(range(1, len(readings) + 1))
    assert all(a.at <= b.at for a, b in pairwise(readings))
    assert NOON - timedelta(minutes=5) < readings[-1].at < NOON


def test_the_live_part_goes_on_where_history_ends():
    street = neighbourhood(1, NOON)
    live = list(street.live(NOON + timedelta(minutes=1)))

    assert live[0].at == NOON
    assert all(a.at <= b.at for a, b in pairwise(live))
    assert {p.hub for p in live} == {h.hub for h in street.households if h.home.id != street.scenario.dark}


@pytest.mark.parametrize("clock", ["00:40", "03:00", "07:10", "09:59", "12:00", "18:30", "21:57", "22:30", "23:59"])
def test_the_first_two_minutes_are_as_promised_at_any_time_of_day(clock):
    now = datetime.fromisoformat(f"2026-03-12T{clock}:00").replace(tzinfo=SHANGHAI).astimezone(UTC)
    street = neighbourhood(7, now)
    watches = {home.id: watch_over(home, PLAIN) for home in street.homes}
    # At night whoever is out, or lies still beside her bed, has been noticed before that.
    staged = {street.scenario.out, street.scenario.silent}
    for reading in street.history(timedelta(days=3)):
        assert watches[reading.home].observe(reading, Context()) == [] or reading.home in staged
    for home, heard in street.last_heard().items():
        watches[home].recall_heard(heard)

    told = []
    for second in range(120):
        at = now + timedelta(seconds=second)
        for household in street.households:
            watch = watches[household.home.id]
            if not household.is_dark(at):
                assert watch.hear(at, 0) is None
            told += [(f.home, f.code, f.at) for f in watch.tick(at, Context(listening_since=now))]

    plan = street.scenario
    assert [(home, code) for home, code, _ in told] == [(plan.dark, "home_silent"), (plan.silent, plan.silent_code)]
    assert abs(told[1][2] - plan.silent_due) <= timedelta(seconds=3)


def test_a_silence_falls_due_when_it_was_placed_to():
    for minute in range(0, 24 * 60, 7):
        due = MIDNIGHT + timedelta(minutes=minute)
        since = silent_since(due, SHANGHAI)

        if since is None:
            assert due.astimezone(SHANGHAI).hour in (22, 23, 0)
        else:
            assert due_after(since, SHANGHAI) == due
