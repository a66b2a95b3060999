"""What goes wrong on the way: seeded, in order of arrival, and never more than it says."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from simulators.faults import Dead, Doubled, Drifting, Faults, Late, Lost, Restarted, Shuffled, suffering
from simulators.household import furnish
from simulators.speech import LastSeen, Publication

BEGIN = datetime(2026, 3, 2, 1, tzinfo=UTC)
END = BEGIN + timedelta(hours=8)
NOON, TWO = BEGIN + timedelta(hours=3), BEGIN + timedelta(hours=5)


def a_day(**options) -> list[Publication]:
    household = furnish("h1", "gardener", seed=5, **options).press_sos(NOON + timedelta(minutes=10))
    return list(household.publications(BEGIN, END))


def words(stream) -> list[tuple[str, bytes]]:
    return sorted((said.topic, said.payload) for said in stream)


ALL = [
    Lost(seed=1, share=0.1),
    Doubled(seed=1, share=0.1),
    Shuffled(seed=1, share=0.1),
    Late(((NOON, TWO),)),
    Dead(topic="zigbee2mqtt/living/motion", since=NOON),
    Drifting(since=NOON, offset=timedelta(hours=26)),
    Restarted((NOON, TWO)),
    Faults(seed=1, lost=0.1, doubled=0.1, shuffled=0.1, outages=((NOON, TWO),), restarts=(BEGIN + timedelta(hours=1),)),
]


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: type(fault).__name__.lower())
class TestEveryFault:
    def test_does_the_same_harm_again(self, fault):
        assert list(fault.over(a_day(qos=0))) == list(fault.over(a_day(qos=0)))

    def test_hands_over_in_order_of_time(self, fault):
        assert all(a.at <= b.at for a, b in pairwise(fault.over(a_day())))

    def test_works_on_an_endless_stream(self, fault):
        endless = fault.over(furnish("h1", "gardener", seed=5).publications(BEGIN))

        assert next(endless).at == BEGIN


def test_a_message_without_a_promise_may_be_lost():
    sent, came = a_day(qos=0), list(Lost(seed=1, share=0.2).over(a_day(qos=0)))
    weak = [said for said in sent if said.qos == 0]

    assert 0.1 < (len(sent) - len(came)) / len(weak) < 0.3
    assert [s for s in came if s.qos == 1] == [s for s in sent if s.qos == 1]


def test_a_message_with_a_promise_is_never_lost():
    assert list(Lost(seed=1, share=1.0).over(a_day(qos=1))) == a_day(qos=1)


def test_a_doubled_message_says_the_same_again():
    sent, came = a_day(), list(Doubled(seed=1, share=0.1).over(a_day()))

    assert len(came) > len(sent)
    assert set(words(came)) == set(words(sent))


def test_a_shuffled_stream_holds_the_same_messages():
    came = list(Shuffled(seed=1, share=0.2).over(a_day()))

    assert words(came) == words(a_day())
    assert [s.topic for s in came] != [s.topic for s in a_day()]


def test_what_is_said_while_the_line_is_down_comes_afterwards_in_order():
    came = list(Late(((NOON, TWO),)).over(a_day()))
    kept = [said for said in came if TWO <= said.at < TWO + timedelta(seconds=10)]
    dates = [json.loads(s.payload)["last_seen"] for s in kept if s.topic.endswith("/living/climate")]

    assert not [said for said in came if NOON <= said.at < TWO]
    assert words(came) == words(a_day())
    assert dates == sorted(dates)
    assert dates[0] < "2026-03-02T04:30"  # it still says when it happened


def test_a_hub_keeps_no_more_than_it_can():
    came = list(Late(((NOON, TWO),), most=10).over(a_day()))
    outside = [said for said in a_day() if not NOON <= said.at < TWO]

    assert len(came) == len(outside) + 10


def test_a_dead_device_is_silent_alone():
    came = list(Dead(topic="zigbee2mqtt/living/motion", since=NOON).over(a_day()))

    assert [s for s in came if s.at < NOON] == [s for s in a_day() if s.at < NOON]
    assert not [s for s in came if s.at >= NOON and "/living/motion" in s.topic]
    assert [s for s in came if s.at >= NOON and "/kitchen/motion" in s.topic]


@pytest.mark.parametrize("style", [LastSeen.ISO, LastSeen.LOCAL, LastSeen.EPOCH])
def test_a_clock_that_is_off_misdates_the_device_and_nothing_else(style):
    day = a_day(last_seen=style)
    came = list(Drifting(since=BEGIN, offset=timedelta(hours=26)).over(day))

    def seen(said: Publication) -> datetime | None:
        stamp = json.loads(said.payload)
        stamp = stamp.get("last_seen") if isinstance(stamp, dict) else None
        return (
            datetime.fromtimestamp(stamp / 1000, UTC)
            if isinstance(stamp, int)
            else stamp and datetime.fromisoformat(stamp)
        )

    for right, wrong in zip(day, came, strict=True):
        assert wrong.at == right.at
        assert seen(right) is None or seen(wrong) - seen(right) == timedelta(hours=26)


def test_a_clock_drifts_further_each_day():
    came = Drifting(since=BEGIN, per_day=timedelta(seconds=24)).over(a_day())
    last = [json.loads(s.payload) for s in came if s.topic.endswith("/living/climate")][-1]
    right = [json.loads(s.payload) for s in a_day() if s.topic.endswith("/living/climate")][-1]
    ahead = datetime.fromisoformat(last["last_seen"]) - datetime.fromisoformat(right["last_seen"])

    assert timedelta(seconds=7) < ahead < timedelta(seconds=9)


def test_a_restart_repeats_what_is_remembered_and_no_press():
    restart = NOON + timedelta(minutes=30)
    came = [said for said in Restarted((restart,)).over(a_day()) if said.at == restart]
    states = [json.loads(said.payload) for said in came if said.topic.endswith("/zigbee2mqtt/bridge/state")]
    button = [json.loads(said.payload) for said in came if said.topic.endswith("/sos/bedside")]

    assert states == [{"state": "offline"}, {"state": "online"}]
    assert len(button) == 1
    assert "action" not in button[0]


def test_faults_are_put_one_after_the_other():
    quiet = [s for s in a_day() if not NOON <= s.at < TWO]
    nothing_kept = Late(((NOON, TWO),), most=0)

    assert list(suffering(a_day(), nothing_kept, Dead(topic="nowhere", since=BEGIN))) == quiet
