"""From a path to a configuration, or to every fault at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from driftgauge.config import Config
from driftgauge.config_file.fault import Fault, KeyPath
from driftgauge.config_file.nodes import MAX_BYTES, NotYamlError, compose
from driftgauge.config_file.rules import faults
from driftgauge.config_file.tree import TreeReader
from driftgauge.errors import ConfigurationError

MOST_FAULTS = 1000


def load(path: Path, *, text: str | None = None) -> Config:
    """The configuration in the file *path*; its relative paths are relative to that file.

    An empty file is the default configuration. With *text*, that is read in place of the file, and
    *path* is its name only.

    Raises:
        ConfigurationError: with all faults (the first 1,000 of more), in the order of lines, each
            ``file:line path: expected ..., got ...``. Where a setting can't be read, rules that
            depend on it are not judged.

    Cost: linear in the text; 1,000 features of one line each take about 0.13 s.
    """
    try:
        node = compose(_file_text(path) if text is None else text)
    except NotYamlError as error:
        fault = Fault((), error.expected, error.found)
        raise ConfigurationError((f"{path}:{error.line}{fault.text()}",)) from error
    if node is None:
        return Config(source=path)
    reader = TreeReader(path.parent)
    read = cast("Config | None", reader.read(Config, node))
    found = list(reader.faults)
    if read is not None:
        found += _own_faults(read, reader)
    if found or read is None:
        raise ConfigurationError(tuple(_fault_texts(path, found)))
    return replace(read, source=path)


def _fault_texts(path: Path, found: list[tuple[int, Fault]]) -> Iterator[str]:
    for line, fault in sorted(found, key=lambda located: located[0])[:MOST_FAULTS]:
        yield f"{path}:{line}{fault.text()}"
    if len(found) > MOST_FAULTS:
        yield f"{path}: and {len(found) - MOST_FAULTS} more faults"


def _own_faults(config: Config, reader: TreeReader) -> Iterable[tuple[int, Fault]]:
    """Faults of *config* against the rules, without echoes of what could not be read."""
    unread = {fault.path for _, fault in reader.faults}
    for fault in faults(config):
        if not any(_starts(path) & unread for path in (fault.path, *fault.also)):
            yield _line(fault.path, reader), fault


def _starts(path: KeyPath) -> set[KeyPath]:
    """The path and the sections around it."""
    return {path[:length] for length in range(1, len(path) + 1)}


def _line(path: KeyPath, reader: TreeReader) -> int:
    """The line of a setting, or of the nearest section around it."""
    while path and path not in reader.lines:
        path = path[:-1]
    return reader.lines.get(path, 1)


def _file_text(path: Path) -> str:
    content = _file_bytes(path)
    if len(content) > MAX_BYTES:
        raise _unreadable(path, f"a file of at most {MAX_BYTES >> 20} MiB", "a larger one")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotYamlError(line, "UTF-8", f"the byte 0x{content[error.start]:02x}") from error


def _file_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _unreadable(path, "a file", "none of that name") from error
    except IsADirectoryError as error:
        raise _unreadable(path, "a file", "a directory") from error
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise _unreadable(path, "a readable file", f"the error {found!r}") from error


def _unreadable(path: Path, expected: str, found: str) -> ConfigurationError:
    return ConfigurationError((f"{path}{Fault((), expected, found).text()}",))
