"""Pictures that people take with their telephones: what is kept, under what name, and how it is shown again."""

import os
import re
import secrets
import struct
from datetime import datetime, timedelta
from pathlib import Path

from fastapi.responses import Response

LARGEST = 2 * 1024 * 1024
FORM = LARGEST + 16 * 1024
"""The largest form that carries one."""

KEPT = timedelta(days=180)
"""A picture that was taken at an alert is kept for so long: until the last question about that visit was asked."""

OF_THE_PICTURE = frozenset({0xC4, 0xCC, 0xDA, 0xDB, 0xDD, 0xE0, 0xE2, 0xEE})
"""Segments of a JPEG, besides its frames, without which it would be another picture: tables, the scan, and of what
programs add the plain header, the colour profile and Adobe's colour transform."""
NOT_OF_THE_PICTURE = frozenset({b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME"})
"""Chunks of a PNG that tell where, when and by whom."""

_NAME = re.compile(r"[0-9a-f]{32}\.(jpg|png)")


def keep(folder: Path | None, picture: bytes) -> str:
    """The name under which it is kept; empty when it is none, or none are taken here.

    Only what begins like a JPEG or PNG is kept, under a name of our own, and of it only the picture: what a telephone
    adds tells where it was taken.
    """
    ending = ending_of(picture)
    if folder is None or not ending or len(picture) > LARGEST:
        return ""
    bare = without_place(picture)
    if not bare:
        return ""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{secrets.token_hex(16)}.{ending}"
    path = folder / name
    path.touch(mode=0o600)
    with path.open("wb") as file:
        file.write(bare)
        file.flush()
        os.fsync(file.fileno())  # a telephone lets go of a picture that we have said to be kept
    return name


def show(folder: Path | None, name: str) -> Response | None:
    """The picture of that name; None when there is none."""
    if folder is None or not is_kept(folder, name):
        return None
    kind = "image/png" if name.endswith("png") else "image/jpeg"
    return Response((folder / name).read_bytes(), media_type=kind)


def is_kept(folder: Path | None, name: str) -> bool:
    return folder is not None and _NAME.fullmatch(name) is not None and (folder / name).is_file()


def of_alerts(folder: Path | None) -> Path | None:
    """Pictures taken at an alert lie apart from those of devices, for they are not kept as long."""
    return folder / "alerts" if folder is not None else None


def let_go(folder: Path | None, now: datetime) -> int:
    """Delete the pictures of alerts that have been kept long enough; how many."""
    place, gone = of_alerts(folder), 0
    for path in place.iterdir() if place is not None and place.is_dir() else ():
        if _NAME.fullmatch(path.name) and path.stat().st_mtime < (now - KEPT).timestamp():
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def without_place(picture: bytes) -> bytes:
    """The picture alone, without what programs have written beside it; empty when it cannot be read as one.

    A picture that was to be turned by a word in its header is shown as the lens saw it; where scripts run, it was
    turned before it left the telephone.
    """
    try:
        return _bare_jpeg(picture) if ending_of(picture) == "jpg" else _bare_png(picture)
    except (struct.error, IndexError):
        return b""


def _bare_jpeg(picture: bytes) -> bytes:
    kept, at = [picture[:2]], 2
    while True:
        while picture[at] == 0xFF and picture[at + 1] == 0xFF:  # filling
            at += 1
        mark, length = picture[at + 1], struct.unpack_from(">H", picture, at + 2)[0]
        if picture[at] != 0xFF or length < 2:
            return b""
        is_frame = 0xC0 <= mark <= 0xCF
        if mark == 0xDA:  # from here on it is the picture itself, to its end; some append a second one with a header
            end = picture.find(b"\xff\xd9", at)
            return b"".join(kept) + picture[at : end + 2] if end > 0 else b""
        if is_frame or mark in OF_THE_PICTURE:
            kept.append(picture[at : at + 2 + length])
        at += 2 + length


def _bare_png(picture: bytes) -> bytes:
    kept, at = [picture[:8]], 8
    while True:
        length, kind = struct.unpack_from(">I4s", picture, at)
        if kind not in NOT_OF_THE_PICTURE:
            kept.append(picture[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            return b"".join(kept)


def ending_of(picture: bytes) -> str:
    if picture.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "png" if picture.startswith(b"\x89PNG\r\n\x1a\n") else ""
