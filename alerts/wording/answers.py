"""What somebody is told who has just accepted, resolved or closed."""

from collections.abc import Callable, Mapping

from alerts import words_handling, words_ladder
from alerts.catalogue import N_
from alerts.escalation import Reason, Verdict
from alerts.wording.speech import say


def answer(verdict: Verdict, language: str, name_of: Callable[[str], str]) -> str:
    """What somebody is told who has just accepted, resolved or closed, or tried to."""
    owner = name_of(verdict.owner) if verdict.owner else ""
    if verdict.reason is Reason.TAKEN and not owner:
        return say(language, "Somebody else has accepted it already.")
    return say(language, _ANSWERS[verdict.reason], owner=owner)


_ANSWERS: Mapping[Reason, str] = {
    Reason.NEW: N_("A new alert was opened."),
    Reason.WORSE: N_("It is more serious than before; people are called from the start."),
    Reason.AGAIN: N_("{owner} was told that it happened again."),
    Reason.RINGING: N_("People are being called already."),
    Reason.KNOWN: N_("This was known already."),
    Reason.HELD: N_("Somebody works in this home: it is held back until that is over."),
    Reason.TESTED: N_("This button is being tested, as announced: it is kept, and nobody is called."),
    Reason.HUSHED: N_("It can wait: it is held back until the quiet hours or the silence are over."),
    Reason.DONE: N_("Done."),
    Reason.YOURS: N_("You have accepted it already."),
    Reason.TAKEN: N_("{owner} has accepted it already."),
    Reason.OVER: N_("It was resolved already."),
    Reason.CLOSED: N_("It was closed already."),
    Reason.NO_OUTCOME: N_("Choose an outcome first: no alert is resolved without one."),
    Reason.UNRESOLVED: N_("Write down the outcome first: no alert is closed before it was resolved."),
    Reason.NOBODY: N_("Sign in first: an alert is accepted by somebody."),
    Reason.UNKNOWN: N_("There is no such alert."),
    **words_ladder.ANSWERS,
    **words_handling.ANSWERS,
}
