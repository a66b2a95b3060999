"""The resident who is asked, the daughter far away, the colleague who forgets: what people do, and what follows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from test_care_loop import EVERYBODY, LONG_AGO, T0, House, at, is_down, refuses

from alerts.catalogue import ENTRIES
from alerts.desk import Desk
from alerts.escalation import HELD_FOR_LIFE, Reason, Verdict
from alerts.maintenance import TEST
from alerts.sitting import Sitting
from gateway.domain import (
    Answer,
    Answers,
    Contact,
    Duty,
    FamilyWord,
    Outcome,
    Person,
    Profile,
    Reach,
    Relation,
    Sending,
    Severity,
    State,
)
from gateway.domain.plan import ABSENCE

DAUGHTER, NEIGHBOUR = "daughter", "neighbour"
LATER = T0 + timedelta(hours=8)


class Village(House):
    """A grid with everybody: a resident who can answer, a daughter 800 km away, a neighbour with a key."""

    def __init__(self, answers_by: Answers = Answers.SPEAKER, *, family: bool = True, is_far: bool = True) -> None:
        self.stirs = False
        super().__init__()
        with self.registry.begin() as book:
            for person, name in (
                ("granny", "王奶奶"),
                (DAUGHTER, "小王"),
                (NEIGHBOUR, "老刘"),
                ("street", "街道值班室"),
            ):
                book.put_person(
                    Person(id=person, name=name, reaches=(Reach(channel="phone", address=person),)), LONG_AGO
                )
            book.put_profile(Profile(person="granny", answers_by=answers_by), LONG_AGO)
            book.put_home(replace(self.registry.home("h1"), person="granny"), LONG_AGO)
            book.assign("street", Duty.STREET, "g1", LONG_AGO)
            near = Contact(home="h1", person=NEIGHBOUR, relation=Relation.KEY_HOLDER)
            child = Contact(home="h1", person=DAUGHTER, relation=Relation.CHILD, is_far=is_far)
            book.put_contacts("h1", [child, near] if family else [near], LONG_AGO)
        self.restart()

    def restart(self) -> None:
        super().restart()
        self.desk = Desk(
            self.store,
            self.registry,
            catalogue=self.catalogue,
            has_passed=lambda finding: self.stirs,
        )
        self.courier._desk = self.desk

    @property
    def away(self) -> list[tuple]:
        """What the household's plan says about where she is: from when, until when, by whose word."""
        lines = [line for line in self.registry.overrides("h1") if line.key == ABSENCE]
        return [(line.value, line.since, line.until, line.author) for line in lines]

    def says(self, answer: Answer) -> Verdict:
        return self.desk.answer(self.alert().id, answer, "granny", self.now(), "speaker")

    def taps(self, word: FamilyWord, **more: object) -> Verdict:
        until = more.pop("until", None)
        return self.desk.family(self.alert().id, DAUGHTER, word, until, self.now(), **more)

    def rang(self, since: float = 0) -> list[tuple[float, str, str]]:
        return [call for call in self.phone.rang if call[0] >= since]


# --------------------------------------------------------------------------- the resident is asked


async def test_she_is_asked_then_the_family_hears_and_after_her_three_minutes_the_grid_worker():
    village = Village()
    village.finds("bath_dwell", Severity.HIGH)
    await village.until(1)
    assert village.alert().state is State.CONFIRMING
    await village.until(181)

    assert village.rang() == [
        (0, "ask", "granny"),
        (90, "ask", "granny"),
        (90, "page", DAUGHTER),
        (180, "page", "zhang"),
    ]
    assert village.phone.letters[0].title == "您还好吗？"
    assert "老人，没有回应" in village.phone.letters[3].body


async def test_without_any_means_of_answering_nobody_waits_for_an_answer():
    village = Village(Answers.NONE)
    village.finds("bath_dwell", Severity.HIGH)
    await village.until(91)

    assert village.rang() == [(0, "page", DAUGHTER), (90, "page", "zhang")]


async def test_without_means_and_without_family_the_grid_worker_is_called_at_once():
    village = Village(Answers.NONE, family=False)
    village.finds("bath_dwell", Severity.HIGH)
    await village.until(1)

    assert village.rang() == [(0, "page", "zhang")]


async def test_a_speaker_that_is_dead_uses_up_nobodys_minutes():
    village = Village(family=False)
    village.phone.answers["granny"] = refuses
    village.finds("bath_dwell", Severity.HIGH)
    await village.until(1)

    assert village.rang() == [(0, "page", "zhang")]


async def test_she_says_that_no_help_is_needed_and_nobody_comes():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(299)

    verdict = village.says(Answer.NO_HELP)
    await village.until(86_400)

    assert (verdict.reason, village.alert().state) == (Reason.DONE, State.CANCELLED)
    assert village.alert().outcome is Outcome.ELDER_SAFE
    assert village.rang() == [(0, "ask", "granny")]
    assert village.history()[-2:] == ["answered", "cancelled"]
    assert village.store.next_timer() is None
    assert village.store.alerts(unclosed=True) == []


async def test_an_accidental_press_is_taken_back_and_everybody_called_hears_so_once():
    village = Village()
    village.finds()
    await village.until(10)

    village.says(Answer.NO_HELP)
    await village.until(3600)

    assert sorted(village.rang(10)) == [(10, "over", DAUGHTER), (10, "over", "zhang")]
    assert village.phone.letters[-1].body == "老人表示不需要帮助，您不用再处理。"


async def test_a_call_that_was_on_its_way_when_she_took_it_back_is_followed_by_the_word_that_it_is_over():
    village = Village(family=False)
    village.phone.answers["zhang"] = lambda delivery: village.says(Answer.NO_HELP)
    village.finds()
    await village.until(60)

    assert [call for call in village.rang() if call[2] == "zhang"] == [(0, "page", "zhang"), (0, "over", "zhang")]


async def test_she_says_that_she_needs_help_and_everybody_is_called_as_for_an_emergency():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(20)

    village.says(Answer.HELP)
    await village.until(81)

    assert village.alert().severity is Severity.EMERGENCY
    assert sorted(village.rang(20)) == [
        (20, "page", DAUGHTER),
        (20, "page", "zhang"),
        (80, "page", "li"),
        (80, "page", NEIGHBOUR),
    ]
    page = next(n for n, call in enumerate(village.phone.rang) if call == (20, "page", "zhang"))
    assert "老人表示需要帮助" in village.phone.letters[page].body


@pytest.mark.parametrize("code", ["smoke", "gas", "co"])
async def test_a_fire_is_not_taken_back_by_a_word(code):
    village = Village()
    village.finds(code)
    await village.until(5)

    answered = village.says(Answer.NO_HELP)
    tapped = village.taps(FamilyWord.WITH_ME, until=LATER, sure=True)
    await village.until(61)

    assert answered.reason is tapped.reason is Reason.NOT_BY_WORD
    assert village.alert().is_ringing
    assert (60, "page", "li") in village.rang()


async def test_an_answer_to_what_somebody_has_already_is_written_down_for_that_person():
    village = Village()
    village.finds()
    village.desk.accept(village.alert().id, "zhang", village.now())

    assert village.says(Answer.NO_HELP).reason is Reason.NOTED
    assert village.alert().owner == "zhang"


async def test_whoever_is_out_is_asked_on_a_telephone_and_not_through_the_wall_at_home():
    at_home, carried = Village(Answers.SPEAKER), Village(Answers.PHONE)
    for village in (at_home, carried):
        village.finds("not_returned", Severity.HIGH)
        await village.until(1)

    assert at_home.rang() == [(0, "page", DAUGHTER)]
    assert carried.rang() == [(0, "ask", "granny")]


async def test_she_too_hears_that_somebody_takes_care_of_it():
    village = Village()
    village.finds()
    await village.until(5)
    village.desk.accept(village.alert().id, "zhang", village.now())
    await village.until(10)

    told = village.phone.rang.index((5, "taken", "granny"))
    assert village.phone.letters[told].body == "张师傅已经知道了，正在处理。"


# --------------------------------------------------------------------------- in parallel, and up


async def test_nobody_answers_at_three_in_the_morning_on_the_first_day_of_spring_festival():
    village = Village()
    village.finds()
    await village.until(421)

    assert sorted(village.rang()) == [
        (0, "ask", "granny"),
        (0, "page", DAUGHTER),
        (0, "page", "zhang"),
        (60, "page", "li"),
        (60, "page", NEIGHBOUR),
        (180, "page", "wang"),
        (300, "page", "street"),
        (420, "page", DAUGHTER),  # the district has no desk, so all of it begins again; she is asked no more
        (420, "page", "zhang"),
    ]
    assert village.alert().overdue_at == at(60)


async def test_family_and_resident_are_told_and_do_not_hold_up_the_next_where_no_worker_is_on_duty():
    village = Village()
    with village.registry.begin() as book:
        book.put_duties("zhang", [], LONG_AGO + timedelta(seconds=1))
    village.finds()
    await village.until(1)

    assert {person for _, _, person in village.rang()} == {"granny", DAUGHTER, "li", NEIGHBOUR}


async def test_whoever_has_two_duties_is_called_once_in_a_round():
    village = Village()
    with village.registry.begin() as book:
        book.put_contacts("h1", [Contact(home="h1", person="zhang", relation=Relation.KEY_HOLDER)], LONG_AGO)
    village.finds()
    await village.until(299)

    assert [when for when, purpose, person in village.rang() if (purpose, person) == ("page", "zhang")] == [0]


# --------------------------------------------------------------------------- who can be there


async def test_the_daughter_800_km_away_coordinates_and_the_ladder_goes_on_without_her():
    village = Village()
    village.finds()
    await village.until(5)

    verdict = village.desk.accept(village.alert().id, DAUGHTER, village.now(), "link")
    await village.until(600)

    assert verdict.reason is Reason.COORDINATES
    assert (village.alert().coordinator, village.alert().owner, village.alert().holder) == (DAUGHTER, "", DAUGHTER)
    called = [person for when, purpose, person in village.rang(6) if purpose == "page"]
    assert called[:4] == ["li", NEIGHBOUR, "wang", "street"]
    assert DAUGHTER not in called
    village.desk.accept(village.alert().id, "li", village.now())
    await village.until(700)
    assert [call for call in village.rang(600) if call[2] == DAUGHTER] == [(600, "taken", DAUGHTER)]
    assert village.rang(601) == []


async def test_whoever_coordinates_hears_each_time_that_nobody_else_can_be_reached():
    village = Village(Answers.NONE, family=False)
    for person in ("li", "wang", "street", NEIGHBOUR):
        village.phone.answers[person] = refuses
    village.finds()
    await village.until(5)
    village.desk.accept(village.alert().id, "zhang", village.now(), can_arrive=False)
    await village.until(500)

    told = village.rang(6)
    assert {call[1:] for call in told} == {("remind", "zhang")}
    assert 2 <= len(told) <= 5
    assert village.phone.letters[-1].body == "没有其他能上门的人联系得上，现在只有您知道：请设法找人，或者自己过去。"


async def test_a_colleague_who_cannot_leave_the_office_says_so():
    village = Village()
    village.finds()
    await village.until(5)
    alert = village.alert().id

    first = village.desk.accept(alert, "zhang", village.now(), can_arrive=False)
    second = village.desk.accept(alert, "li", village.now(), can_arrive=False)
    again = village.desk.accept(alert, "zhang", village.now(), can_arrive=False)
    after_all = village.desk.accept(alert, "zhang", village.now(), can_arrive=True)

    assert [v.reason for v in (first, second, again)] == [Reason.COORDINATES, Reason.TAKEN, Reason.YOURS]
    assert second.owner == "zhang"
    assert (after_all.reason, village.alert().owner) == (Reason.DONE, "zhang")


async def test_a_daughter_who_is_visiting_can_be_there_whatever_the_list_says():
    village = Village()
    village.finds()
    await village.until(5)

    village.desk.accept(village.alert().id, DAUGHTER, village.now(), can_arrive=True)

    assert village.alert().owner == DAUGHTER


async def test_coordinating_before_anybody_who_can_be_there_was_called_sends_for_somebody_at_once():
    village = Village()
    village.finds("bath_dwell", Severity.HIGH)
    await village.until(95)

    village.desk.accept(village.alert().id, DAUGHTER, village.now())
    await village.until(96)

    assert village.rang(91) == [(95, "page", "zhang")]


# --------------------------------------------------------------------------- the family's one tap


async def test_the_daughter_has_her_with_her():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(905)

    verdict = village.taps(FamilyWord.WITH_ME, until=LATER)
    await village.until(86_400)

    alert = village.alert()
    assert (verdict.reason, alert.state, alert.outcome, alert.owner) == (
        Reason.DONE,
        State.RESOLVED,
        Outcome.ELDER_AWAY,
        DAUGHTER,
    )
    assert village.away == [("family", at(905), LATER, DAUGHTER)]
    assert village.rang(905) == [(905, "taken", "granny"), (905, "taken", "zhang")]


async def test_that_she_is_with_her_and_that_she_is_away_is_one_transaction(monkeypatch):
    """The power fails in it: neither is written, it rings on, and the daughter taps once more."""
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(905)

    def falls(*_: object, **__: object) -> None:
        raise OSError("no power")

    with monkeypatch.context() as dark, pytest.raises(OSError, match="no power"):
        dark.setattr(Sitting, "end", falls)
        village.taps(FamilyWord.WITH_ME, until=LATER)
    assert (village.alert().is_ringing, village.away) == (True, [])

    village.taps(FamilyWord.WITH_ME, until=LATER)
    assert (village.alert().state, len(village.away)) == (State.RESOLVED, 1)
    assert [act.what for act in village.store.acts("h1")] == ["plan.home"]


async def test_said_anew_the_new_end_holds():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    village.taps(FamilyWord.WITH_ME, until=LATER)
    await village.until(3600)

    village.finds("fall")
    village.taps(FamilyWord.WITH_ME, until=at(7200), sure=True)

    assert village.away == [("family", T0, at(3600), DAUGHTER), ("family", at(3600), at(7200), DAUGHTER)]


async def test_that_she_is_with_her_needs_an_end():
    village = Village()
    village.finds("inactivity", Severity.HIGH)

    for until in (None, T0 - timedelta(hours=1), T0 + timedelta(days=31)):
        assert village.taps(FamilyWord.WITH_ME, until=until).reason is Reason.NO_END
    assert village.alert().is_ringing
    assert village.away == []


async def test_an_emergency_call_is_ended_from_afar_only_when_it_is_sure():
    village = Village()
    village.finds()

    asked = village.taps(FamilyWord.WITH_ME, until=LATER)
    assert (asked.reason, village.alert().is_ringing, village.away) == (Reason.ASK_AGAIN, True, [])
    sure = village.taps(FamilyWord.WITH_ME, until=LATER, sure=True)
    assert (sure.reason, village.alert().state) == (Reason.DONE, State.RESOLVED)


async def test_whoever_is_on_the_way_hears_that_the_daughter_has_her():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(901)
    village.desk.accept(village.alert().id, "zhang", village.now())
    await village.until(905)

    village.taps(FamilyWord.WITH_ME, until=LATER)
    await village.until(906)

    assert (905, "over", "zhang") in village.rang()


async def test_the_son_next_door_sees_to_it():
    village = Village(is_far=False)
    village.finds("inactivity", Severity.HIGH)
    await village.until(605)

    assert village.taps(FamilyWord.MINE).reason is Reason.DONE
    assert (village.alert().state, village.alert().owner) == (State.ACCEPTED, DAUGHTER)


async def test_please_send_somebody_calls_the_grid_worker_at_once():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(2)

    village.taps(FamilyWord.SEND_WORKER)
    await village.until(3)

    assert village.rang(1) == [(2, "page", "zhang")]
    assert village.alert().coordinator == DAUGHTER


# --------------------------------------------------------------------------- accepted, and then?


async def test_accepted_and_forgotten():
    village = Village(Answers.NONE, family=False)
    village.finds()
    await village.until(10)
    village.desk.accept(village.alert().id, "zhang", village.now())
    await village.until(910)

    assert village.rang(11) == [
        (310, "remind", "zhang"),
        (610, "remind", "zhang"),
        (910, "page", "zhang"),
    ]
    alert = village.alert()
    assert (alert.is_ringing, alert.owner, alert.round) == (True, "", 1)
    assert village.history().count("lapsed") == 1
    await village.until(971)
    assert {person for when, _, person in village.rang(970)} == {"li", NEIGHBOUR}


async def test_whoever_says_that_they_are_on_the_way_is_left_in_peace_until_they_should_be_there():
    village = Village(Answers.NONE, family=False)
    village.finds()
    await village.until(10)
    village.desk.accept(village.alert().id, "zhang", village.now())
    village.desk.on_the_way(village.alert().id, "zhang", village.now())
    await village.until(909)
    assert village.rang(11) == []
    village.desk.on_site(village.alert().id, "zhang", village.now(), proof="door")
    await village.until(909 + 3601)

    assert village.rang(11) == [(4509, "remind", "zhang")]  # there for an hour, and nothing is written down
    assert village.alert().overdue_at is None


async def test_whoever_accepted_and_cannot_be_reminded_has_it_no_longer():
    village = Village(Answers.NONE, family=False)
    village.finds()
    await village.until(10)
    village.desk.accept(village.alert().id, "zhang", village.now())
    village.phone.answers["zhang"] = refuses
    await village.until(311)

    assert {person for when, _, person in village.rang(310)} == {"li", NEIGHBOUR}
    assert village.alert().is_ringing


async def test_a_reminder_that_is_still_waiting_is_not_sent_to_whoever_has_it_no_longer():
    village = Village(Answers.NONE, family=False)
    village.finds()
    await village.until(10)
    village.desk.accept(village.alert().id, "zhang", village.now())
    village.phone.answers["zhang"] = is_down
    await village.until(905)
    village.desk.on_the_way(village.alert().id, "li", village.now())
    village.desk.hand_over(village.alert().id, "wang", "li", village.now(), why="他没有出发")
    village.phone.answers.clear()
    await village.until(960)

    assert [call for call in village.rang(11) if call[2] == "zhang"] == [(905, "taken", "zhang")]
    assert village.deliveries(Sending.WAITING) == []


async def test_handed_over_to_a_colleague_who_hears_of_it():
    village = Village()
    village.finds()
    await village.until(10)
    alert = village.alert().id

    nobodys = village.desk.hand_over(alert, "zhang", "li", village.now(), why="")
    village.desk.accept(alert, "zhang", village.now())
    unknown = village.desk.hand_over(alert, "zhang", "nobody", village.now(), why="")
    village.desk.hand_over(alert, "zhang", "li", village.now(), why="孩子发烧")
    await village.until(11)

    assert [nobodys.reason, unknown.reason] == [Reason.NOT_YOURS, Reason.NO_SUCH_PERSON]
    assert (village.alert().owner, village.alert().owned_at) == ("li", at(10))
    told = village.phone.rang.index((10, "handed", "li"))
    assert village.phone.letters[told].body == "张师傅把这件事移交给您，现在由您负责。打开链接查看原因。"
    await village.until(311)
    assert (310, "remind", "li") in village.rang()


async def test_setting_off_for_what_nobody_has_accepted_accepts_it_and_a_second_person_goes_along():
    village = Village()
    village.finds()
    await village.until(10)

    village.desk.on_the_way(village.alert().id, "li", village.now())
    village.desk.on_the_way(village.alert().id, NEIGHBOUR, village.now())

    assert (village.alert().owner, village.alert().state) == ("li", State.EN_ROUTE)
    assert village.history()[-3:] == ["accepted", "en-route", "en-route"]


async def test_something_worse_calls_everybody_again_whoever_was_on_the_way():
    village = Village(Answers.NONE)
    village.finds("inactivity", Severity.HIGH)
    await village.until(700)
    village.desk.accept(village.alert().id, "zhang", village.now())
    village.desk.on_the_way(village.alert().id, "zhang", village.now())

    village.finds("sos")
    await village.until(701)

    assert village.store.alerts()[0].is_ringing
    assert (700, "page", "zhang") in village.rang()


# --------------------------------------------------------------------------- signs of life


async def test_signs_of_life_hold_the_next_call_and_ask_whoever_was_called_to_confirm():
    village = Village(Answers.NONE, family=False)
    village.finds("inactivity", Severity.HIGH)
    await village.until(300)
    village.stirs = True
    await village.until(601)

    assert village.rang() == [(0, "page", "zhang"), (600, "stirs", "zhang")]
    assert village.alert().is_ringing
    held = 600 + HELD_FOR_LIFE.total_seconds()
    await village.until(held + 1)
    assert {person for _, _, person in village.rang(held)} == {"li", NEIGHBOUR}  # nobody has confirmed that she is well


async def test_she_may_move_who_says_that_she_needs_help():
    village = Village()
    village.finds("inactivity", Severity.HIGH)
    await village.until(20)
    village.stirs = True
    village.says(Answer.HELP)
    await village.until(81)

    assert (80, "page", "li") in village.rang()


async def test_a_speaker_that_works_again_asks_once_and_not_for_each_time_it_could_not():
    village = Village(family=False)
    village.phone.answers["granny"] = is_down
    village.finds("bath_dwell", Severity.HIGH)
    await village.until(130)
    village.phone.answers.clear()
    await village.until(200)

    assert [call for call in village.rang() if call[1] == "ask"] == [(village.rang()[0][0], "ask", "granny")]


async def test_an_emergency_call_does_not_wait_because_somebody_moves():
    village = Village()
    village.stirs = True
    village.finds()
    await village.until(61)

    assert (60, "page", "li") in village.rang()


# --------------------------------------------------------------------------- a restart changes nothing


@pytest.mark.parametrize("every", [7, 61, 300])
async def test_restarts_at_any_moment_change_nothing(every):
    lived = []
    for restarts in (False, True):
        village = Village()
        village.finds("bath_dwell", Severity.HIGH)
        for second in range(0, 5400, every):
            await village.until(second)
            if restarts:
                village.restart()
            if second >= 700 and not village.alert().is_taken and village.alert().round == 0:
                village.desk.accept(village.alert().id, "li", village.now())
        lived.append(village.rang())

    assert lived[0] == lived[1]


# --------------------------------------------------------------------------- the whole catalogue, once


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.code != TEST], ids=lambda entry: entry.code)
async def test_each_kind_of_alert_from_the_first_question_to_the_file(entry):
    village = Village(Answers.PHONE)
    ladder = village.catalogue.ladder(entry.code, entry.severity)
    before = [rung for rung in ladder.rungs if set(rung.duties) <= {Duty.ELDER, Duty.FAMILY}]
    first = ladder.rungs[len(before)]
    staff = {**EVERYBODY, "street": Duty.ADMIN}
    with village.registry.begin() as book:
        book.assign("street", Duty.ADMIN, "g1", LONG_AGO)
    somebody = next(person for person, duty in staff.items() if duty is first.duty)
    second = sum(rung.wait.total_seconds() for rung in before)

    village.finds(entry.code, entry.severity)
    await village.until(second)

    assert [when for when, purpose, who in village.rang() if (purpose, who) == ("page", somebody)] == [second]
    asked = [when for when, purpose, _ in village.rang() if purpose == "ask"]
    assert len(asked) == sum(Duty.ELDER in rung.duties for rung in (*before, first))

    alert, desk = village.alert().id, village.desk
    acts = [
        lambda now: desk.accept(alert, somebody, now),
        lambda now: desk.on_the_way(alert, somebody, now),
        lambda now: desk.on_site(alert, somebody, now, proof="door"),
        lambda now: desk.resolve(alert, somebody, Outcome.ASSISTANCE_GIVEN, "", now),
        lambda now: desk.follow_up(alert, "li", "", now),
        lambda now: desk.close(alert, "li", now),
    ]
    for number, act in enumerate(acts, 1):
        await village.until(second + 10 * number)
        assert act(village.now()).reason is Reason.DONE
    await village.until(second + 90 * 86_400)

    end = village.alert()
    times = [end.accepted_at, end.en_route_at, end.on_site_at, end.resolved_at, end.followed_up_at, end.closed_at]
    assert times == [at(second + 10 * number) for number in range(1, 7)]
    assert {purpose for when, purpose, _ in village.rang(second + 10)} <= {"taken"}  # nobody is called any more
    assert village.store.next_timer() is None
    assert village.deliveries(Sending.WAITING) == []
