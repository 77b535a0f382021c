"""Files that a configuration names: are they there, and what they should be?"""

from __future__ import annotations

from pathlib import Path

from driftgauge import reference as references
from driftgauge.config_file import Fault
from driftgauge.errors import ReferenceFileError

LONGEST_TOKEN_FILE = 4096


def fault_of_reference(path: Path, where: tuple[str, ...]) -> Fault | None:
    """What is wrong with a reference file; None when it can be used."""
    try:
        references.load(path)
    except ReferenceFileError as error:
        return Fault(where, "a file from `driftgauge profile`", str(error))
    return None


def fault_of_token(path: Path, where: tuple[str, ...]) -> Fault | None:
    """What is wrong with a token file; None when its door can be opened. The token is not shown."""
    expected = "a readable file whose first line is a token"
    try:
        if not path.is_file():
            found = "no regular file" if path.exists() else "none of that name"
        elif path.stat().st_size > LONGEST_TOKEN_FILE:
            found = f"more than {LONGEST_TOKEN_FILE} bytes"
        elif not path.read_bytes().partition(b"\n")[0].strip():
            found = "an empty first line"
        else:
            return None
    except OSError as error:
        found = f"the error {error.strerror!r}"
    return Fault(where, expected, f"{found} ({path})")
