"""The figures of a telephone: those of the standard, each for half a minute, typed in any spelling."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.figures import CODES, address, figures, in_words, interval_of, interval_that_says, new_codes, plain

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "shown"),  # RFC 6238, appendix B, its last six figures
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_figures_are_those_of_the_standard(seconds, shown):
    assert figures(SECRET, interval_of(datetime.fromtimestamp(seconds, UTC))) == shown


def test_a_telephone_half_a_minute_early_or_late_still_opens():
    now = datetime.fromtimestamp(1111111109, UTC)  # the last second of its half minute

    for seconds, opens in ((-59, True), (0, True), (30, True), (31, False), (-60, False)):
        found = interval_that_says("081 804", SECRET, now + timedelta(seconds=seconds))
        assert found == (interval_of(now) if opens else None), seconds


@pytest.mark.parametrize("given", ["", "2870", "287083", "2870820", "٢٨٧٠٨٢", "\x00" * 6])
def test_anything_else_opens_nothing(given):
    assert interval_that_says(given, SECRET, datetime.fromtimestamp(59, UTC)) is None


def test_what_the_picture_says():
    said = address(SECRET, "li wei", "守望")

    assert said.startswith(
        "otpauth://totp/%E5%AE%88%E6%9C%9B%3Ali%20wei?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer="
    )
    assert in_words(SECRET).replace(" ", "") in said


def test_codes_for_a_lost_telephone_are_all_different_and_can_be_typed_loosely():
    codes = new_codes()

    assert len(set(codes)) == CODES
    assert {len(plain(code)) for code in codes} == {16}
    assert plain(f" {codes[0].lower()} ") == plain(codes[0])
