"""What a resident takes back while a message is already waiting: it does not leave any more. In virtual time."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from test_courier import LONG_AGO, Post, in_virtual_time

from alerts.reasons import NOT_AGREED
from gateway.domain import Contact, Duty, Look, Person, Reach, Relation, Sending, Severity, Sight
from gateway.ports import TryLater
from gateway.sharing import Sharing

AGREED = {"version": "1", "given_by": "wang", "evidence": "page", "who": "wang"}


def family(post: Post) -> Sharing:
    """A daughter who is called first by push, and a grid worker behind her by telephone."""
    with post.registry.begin() as book:
        book.put_person(Person(id="wang", name="王奶奶"), LONG_AGO)
        book.put_person(Person(id="mei", name="王梅", reaches=(Reach(channel="web_push", address="b"),)), LONG_AGO)
        home = post.registry.home("h1")
        book.put_home(replace(home, person="wang"), LONG_AGO)
        contact = Contact(home="h1", person="mei", relation=Relation.CHILD, may_see=Sight.ALL)
        book.put_contacts("h1", [contact], LONG_AGO)
    post.on_duty(Reach(channel="sms", address="1"))
    sharing = Sharing(post.registry)
    sharing.show("h1", "mei", [Look.CALM, Look.ALERTS], now=post.clock.now(), **AGREED)
    return sharing


def goes_down_for(seconds: float, post_of):
    """A push service that carries nothing for so long."""

    def answer(delivery):
        if (post_of().clock.now() - post_of().began).total_seconds() < seconds:
            raise TryLater("down")

    return answer


@pytest.mark.parametrize("how", ["withdrawn", "paused"])
def test_a_push_that_waits_does_not_leave_once_it_was_taken_back(how):
    @in_virtual_time
    async def _(clock):
        post = Post(clock, web_push=goes_down_for(30, lambda: post), sms=lambda delivery: None)
        post.began = clock.now()
        sharing = family(post)
        alert = post.finds(Severity.HIGH, "inactivity")
        running = asyncio.create_task(post.runs_for(120))
        await asyncio.sleep(10)
        mine = [d for d in post.store.deliveries(alert) if d.person == "mei"]
        assert mine and mine[0].duty is Duty.FAMILY and mine[0].state is Sending.WAITING

        taken_back = clock.now()
        if how == "withdrawn":
            sharing.hide("h1", "mei", [Look.ALERTS], who="wang", now=taken_back)
        else:
            sharing.pause("h1", taken_back + timedelta(hours=1), who="wang", now=taken_back)
        await running

        (push,) = [d for d in post.store.deliveries(alert) if d.person == "mei"]
        assert (push.state, push.reason) == (Sending.FAILED, NOT_AGREED)
        assert push.failed_at - taken_back <= timedelta(seconds=60)
        late = [at for at, d in post.channels["web_push"].tried if d.person == "mei" and at > 10]
        assert late == [], "nothing is even tried after that"
        assert post.channels["sms"].ids, "and whoever comes next is called at once"


def test_an_emergency_is_told_all_the_same():
    @in_virtual_time
    async def _(clock):
        post = Post(clock, web_push=lambda delivery: None, sms=lambda delivery: None)
        sharing = family(post)
        sharing.hide("h1", "mei", list(Look), who="wang", now=clock.now())

        alert = post.finds(Severity.EMERGENCY, "sos")
        await post.runs_for(120)

        assert {d.person for d in post.store.deliveries(alert) if d.state is Sending.SENT} >= {"mei", "zhang"}
