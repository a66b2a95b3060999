"""`shouwang doctor`: whether a gateway is in order, and what to do where it is not."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands import Config, State, say, settings_of
from gateway.locales import LANGUAGES

if TYPE_CHECKING:
    from gateway.doctor import Remark

MARKS = {"well": "✓", "note": "!", "bad": "✗"}


def doctor(
    config: Config = None,
    state: State = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="read every page of both files; minutes where they are large")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for programs, in every language")] = False,
) -> None:
    """Look at files, machine, broker, channels, certificates and watchdog, and say what to do. 体检"""
    from gateway.clock import SystemClock
    from gateway.doctor import Grade, examine

    settings = settings_of(config, state)
    seen = []
    for remark in examine(settings, SystemClock().now(), deep=deep):
        seen.append(remark)
        if not as_json:
            _tell(remark, settings.language)
    if as_json:
        say(json.dumps([_plain(remark) for remark in seen], ensure_ascii=False))
    if any(remark.grade is Grade.BAD for remark in seen):
        raise typer.Exit(1)


def _tell(remark: "Remark", language: str) -> None:
    say(f"{MARKS[remark.grade]} {remark.what.say(language)}")
    if remark.to_do is not None:
        say(f"    → {remark.to_do.say(language)}")


def _plain(remark: "Remark") -> dict[str, Any]:
    to_do = remark.to_do
    return {
        "grade": remark.grade.value,
        "what": {language: remark.what.say(language) for language in LANGUAGES},
        "to_do": {language: to_do.say(language) for language in LANGUAGES} if to_do else {},
    }
