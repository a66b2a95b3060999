"""Words for people: one gettext catalogue per language and part ("alerts", "pages"). English is the source text."""

import gettext
from functools import cache
from pathlib import Path

LANGUAGES = ("zh", "en")


@cache
def catalogue(language: str, part: str) -> gettext.NullTranslations:
    """The translations of `part` into `language`; what it lacks falls back to the source text.

    Raises FileNotFoundError when a language we claim to speak has no compiled catalogue.
    """
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(part, Path(__file__).parent, languages=[language])
