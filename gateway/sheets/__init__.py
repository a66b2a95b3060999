"""Tables of homes, people, devices and shifts: read from CSV and TOML, checked completely, and written out again.

An import adds and changes; it never takes anything away. A column that is not there leaves what is known as it is, an
empty cell empties it. Everything wrong is said at once, with its file, row and column, and then nothing is changed.
"""

from gateway.sheets.columns import ROTA, STANDARD_ZONE, weekdays
from gateway.sheets.reading import Tables, files_in, read
from gateway.sheets.understanding import STANDARD_LEVELS, Changes, lies_above, understand
from gateway.sheets.writing import write_csv, write_toml, write_zip

__all__ = [
    "ROTA",
    "STANDARD_LEVELS",
    "STANDARD_ZONE",
    "Changes",
    "Tables",
    "files_in",
    "lies_above",
    "read",
    "understand",
    "weekdays",
    "write_csv",
    "write_toml",
    "write_zip",
]
