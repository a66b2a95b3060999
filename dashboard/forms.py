"""What people type into a form: how much of it is taken, and on one line."""

from typing import Annotated

from fastapi import Form

Word = Annotated[str, Form(max_length=80)]
"""A name, a code, one of several choices."""

Why = Annotated[str, Form(max_length=300)]
"""A reason, for whoever reads it later."""

Text = Annotated[str, Form(max_length=500)]


def tidy(text: str) -> str:
    """One line, without what cannot be seen."""
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
