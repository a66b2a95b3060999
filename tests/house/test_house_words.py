"""Every sentence that a person reads exists in every language, and the compiled catalogues are the written ones."""

import ast
import string
from gettext import GNUTranslations
from io import BytesIO

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from the_house import ROOT, modules, tree, within

from gateway.locales import LANGUAGES

LOCALES = ROOT / "gateway" / "locales"
WRITTEN = sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))
PARTS = {
    "alerts": ("alerts",),
    "pages": (
        "dashboard",
        "simulators",
        "gateway.backup",
        "gateway.doctor",
        "gateway.domain.plan",
        "gateway.keeping",
        "gateway.refusals",
        "gateway.rescue",
        "gateway.registry",
        "gateway.plans",
        "gateway.places",
        "gateway.rota",
        "gateway.assessment",
        "gateway.sharing",
        "gateway.privacy",
        "gateway.sheets",
    ),
}  # the catalogue, and whose words it holds
MARKS = {"N_", "_", "say"}


def catalogue(path):
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def words_in_code(package: str) -> set[str]:
    """Texts handed to one of the marks: its first text, wherever a language comes before it."""
    found = set()
    for module, path in modules().items():
        if not within(module, {package}):
            continue
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name in MARKS and texts:
                found.add(texts[0])
    return found


def words_in_templates(package: str) -> set[str]:
    found = set()
    for path in (ROOT / package / "templates").rglob("*.html"):
        with path.open("rb") as file:
            for _, _, said, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), {}):
                texts = (said,) if isinstance(said, str) else said or ()
                found.update(
                    text for text in texts if text
                )  # `_(a_variable)` holds no text; each plural is a word of its own
    return found


def test_every_language_has_every_part():
    expected = {f"{language}/LC_MESSAGES/{part}.po" for language in LANGUAGES if language != "en" for part in PARTS}

    assert {str(path.relative_to(LOCALES)) for path in WRITTEN} == expected


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_every_word_is_translated(path):
    known = {message.id if isinstance(message.id, str) else message.id[0]: message for message in catalogue(path)}
    used = set[str]()
    for package in PARTS[path.stem]:
        used |= words_in_code(package) | words_in_templates(package)

    assert sorted(used - known.keys()) == [], f"not in {path.name}"
    assert sorted(known.keys() - used - {""}) == [], f"in {path.name}, but said nowhere"
    assert [word for word, message in known.items() if word and not all(_strings(message))] == []
    assert [word for word, message in known.items() if word and message.fuzzy] == []


def _strings(message):
    return message.string if isinstance(message.string, tuple | list) else (message.string,)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_translations_fill_in_the_same_names(path):
    def names(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for message in catalogue(path):
        word = message.id if isinstance(message.id, str) else message.id[0]
        for said in _strings(message):
            assert not word or names(said) == names(word), word


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_the_compiled_catalogue_is_the_written_one(path):
    fresh = BytesIO()
    write_mo(fresh, catalogue(path))
    fresh.seek(0)
    with path.with_suffix(".mo").open("rb") as shipped:
        # The header is left out: it names the version of the tool.
        read, made = dict(GNUTranslations(shipped)._catalog), dict(GNUTranslations(fresh)._catalog)

    assert {k: v for k, v in read.items() if k} == {k: v for k, v in made.items() if k}, "run scripts/catalogues"
