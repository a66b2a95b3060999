"""The interface against its own OpenAPI document: whatever is sent to it, it answers as it has said it would.

Schemathesis makes the requests, right and wrong ones; the token is one for a part, so that nothing of what lies beyond
it may ever come back or change.
"""

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from walled_house import STRANGE, Walled

from dashboard.keys import Right, make_token

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer("application/toml", "application/zip", "image/jpeg", "image/png")
def as_it_is(context, value):
    """A sheet or a picture is sent as the text or the bytes that it is."""
    return str(value).encode("utf-8", "surrogatepass")


def test_it_answers_as_it_says_and_tells_of_nobody_beyond_its_place():
    rig = Walled()
    _, secret = make_token(rig.accounts, rig.clock.now(), "city", tuple(Right), "1101", 700, "chief")
    headers, before = {"authorization": f"Bearer {secret}"}, rig.beyond_the_wall()
    asked = schemathesis.openapi.from_asgi("/api/v1/openapi.json", rig.app, headers=headers)
    seen = {}

    for found in asked.get_all_operations():
        operation = found.ok()

        @BOUNDED
        @given(case=operation.as_strategy())
        def answers_as_it_says(case):
            rig.clock.go_on(seconds=1)  # else the token would be told to wait
            for name, own in (("alert_id", rig.own.id), ("home_id", "h1")):  # every second one is there
                if len(case.path_parameters.get(name, "")) % 2:
                    case.path_parameters[name] = own

            answer = case.call(headers=headers)

            case.validate_response(answer, checks=CHECKS, headers=headers)
            assert STRANGE not in answer.text
            seen.setdefault(case.operation.label, set()).add(answer.status_code)

        answers_as_it_says()

    assert rig.beyond_the_wall() == before
    assert len(seen) > 20 and sum(200 in codes for codes in seen.values()) > 10, seen
