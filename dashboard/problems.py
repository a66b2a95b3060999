"""What is told another program whose request was not done (RFC 9457): one shape, with a code it can act on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

API = "/api/"
"""Under this everything is answered as data."""

MEDIA = "application/problem+json"

CODES: Mapping[int, tuple[str, str]] = {
    401: ("not-signed-in", "Send `Authorization: Bearer sw_…`; `shouwang token make` makes such a token."),
    403: ("not-allowed", "The account or the token is not for this; the OpenAPI document names the right it needs."),
    404: ("not-found", "There is no such thing, or it is not within the place of this account or token."),
    405: ("no-such-verb", "This address is asked in another way; the OpenAPI document says in which."),
    413: ("too-large", "Send less at a time."),
    422: ("not-understood", "What was sent cannot be taken as it is; `fields` says what would be right."),
    429: ("too-many", "Wait as long as `Retry-After` says, and ask less often."),
    503: ("busy", "Ask again in a moment, with the same Idempotency-Key."),
}
"""The code of a status where nothing more is known, and what would be right."""


@dataclass(frozen=True, slots=True)
class Field:
    """Which part of a request was wrong, and what would be right."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True)
class ProblemShape:
    """The body of every refusal."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: list[Field]


class Problem(HTTPException):
    """A refusal that says more than its status."""

    def __init__(
        self, status: int, code: str, detail: str, *fields: Field, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers) if headers else None)
        self.code = code
        self.fields: Sequence[Field] = fields


def as_problem(error: HTTPException) -> Response:
    status = error.status_code
    code, detail = CODES.get(status, ("refused", ""))
    fields: Sequence[Field] = ()
    if isinstance(error, Problem):
        code, detail, fields = error.code, error.detail, error.fields
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(
        {
            "type": f"urn:shouwang:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
            "fields": [{"name": field.name, "detail": field.detail} for field in fields],
        },
        status_code=status,
        headers={**headers, **(error.headers or {})},
        media_type=MEDIA,
    )


def misread(error: RequestValidationError) -> Problem:
    """Every field that could not be taken, each with what would be right; what was sent is not sent back."""
    fields = [
        Field(".".join(str(part) for part in one["loc"] if part != "body") or "body", str(one["msg"]))
        for one in error.errors()
    ]
    return Problem(422, *CODES[422], *fields)
