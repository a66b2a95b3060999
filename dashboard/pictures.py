"""Pictures that people take with their telephones: what is kept, under what name, and how it is shown again."""

import re
import secrets
from pathlib import Path

from fastapi.responses import Response

LARGEST = 2 * 1024 * 1024
FORM = LARGEST + 16 * 1024
"""The largest form that carries one."""

_NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png)")


def keep(folder: Path | None, picture: bytes) -> str:
    """The name under which it is kept; empty when it is none, or none are taken here.

    Only what begins like a JPEG or PNG is kept, under a name of our own.
    """
    ending = ending_of(picture)
    if folder is None or not ending or len(picture) > LARGEST:
        return ""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{secrets.token_hex(16)}.{ending}"
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(picture)
    return name


def show(folder: Path | None, name: str) -> Response | None:
    """The picture of that name; None when there is none."""
    if folder is None or not _NAME.fullmatch(name) or not (folder / name).is_file():
        return None
    kind = "image/png" if name.endswith("png") else "image/jpeg"
    return Response((folder / name).read_bytes(), media_type=kind)


def ending_of(picture: bytes) -> str:
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "png" if picture.startswith(b"\x89PNG\r\n\x1a\n") else ""
