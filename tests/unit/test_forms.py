"""What is typed into a form, before anybody looks at it."""

import pytest

from dashboard.forms import tidy


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  王 \n 芳\t", "王 芳"), ("王\u200b芳\u202e", "王芳"), ("\u200b", ""), ("138 0000 1111", "138 0000 1111")],
)
def test_one_line_is_kept_without_what_cannot_be_seen(typed, kept):
    assert tidy(typed) == kept
