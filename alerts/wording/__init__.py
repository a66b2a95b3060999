"""Words for people: the only place where a sentence about an alert is made, in every language we speak.

Whatever may stand on a lock screen or in a log is made by `letter`, and names a household by its 户号: no name of an
elder, no address, no illness. English is the source text; `gateway/locales` holds the translations.
"""

from alerts.wording.answers import answer
from alerts.wording.coverage import say_coverage, say_gap
from alerts.wording.history import history_line
from alerts.wording.letters import also_found, letter
from alerts.wording.names import (
    STANDARD,
    alert_name,
    day_name,
    duty_name,
    elder_name,
    fault_name,
    kind_name,
    outcome_name,
    purpose_name,
    reason_text,
    role_name,
    sending_name,
    severity_name,
    state_name,
    task_name,
)
from alerts.wording.speech import clock, say, span
from alerts.wording.why import USUAL, explain

__all__ = [
    "STANDARD",
    "USUAL",
    "alert_name",
    "also_found",
    "answer",
    "clock",
    "day_name",
    "duty_name",
    "elder_name",
    "explain",
    "fault_name",
    "history_line",
    "kind_name",
    "letter",
    "outcome_name",
    "purpose_name",
    "reason_text",
    "role_name",
    "say",
    "say_coverage",
    "say_gap",
    "sending_name",
    "severity_name",
    "span",
    "state_name",
    "task_name",
]
