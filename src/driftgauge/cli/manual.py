"""docs/commands.md, made from the commands themselves: `python -m driftgauge.cli.manual` writes it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from driftgauge.cli.group import main

_HEAD = """\
# Commands

Made by `python -m driftgauge.cli.manual` from the commands; `driftgauge COMMAND --help` says the same.

| exit code | meaning |
| --- | --- |
| 0 | done; `serve` and `demo`: stopped in order |
| 1 | it failed, and one line on stderr says why; `check`: the configuration can't be used |
| 2 | it was called in a wrong way, or its configuration can't be read |
| 130 | interrupted |
"""

_ARGUMENTS = {"model": "the model's name"}

_NOTES = {
    "serve": """\
`SIGHUP` reads the configuration again, whole or not at all, and applies the flags over it again.
`SIGTERM` and Ctrl-C stop it in order: what was acknowledged is saved.
""",
    "check": """\
Faults and warnings go to stderr, the estimate to stdout. The estimate counts every series that a
scrape will have once all windows are judged and all labels known; what only records can tell (classes,
values of segments, features that are not declared) is taken at its limit or assumed, in words.
""",
    "profile": """\
What a cell is:

| cells of a column | taken for |
| --- | --- |
| all numbers (`5`, `-1.5e3`, `.5`) | numeric; `NaN` is missing, `inf` not finite |
| all `true` or `false`, in any case | categorical, `true` and `false` |
| anything else, among it `02139` and `1_000` | categorical |
| empty, or what `--missing` names | missing |

The first 10,000 rows (fewer where there are more than 50 columns) with a value decide. A cell that
doesn't fit later counts as missing and is reported with its line. Rows with another number of fields,
with a NUL or not in UTF-8 are left out and reported. In NDJSON each value has its own type, and objects
under `features` and `segments` are flattened, so that records as they are sent to
`POST /v1/predictions` can be profiled.

Score and prediction are counted as `serve` counts them: a binary model's prediction as `0` or `1`, from
the score and the threshold where a record gives none. Give `--time`: without counts by day a reference
can't tell what is usual from day to day.

Many features over many days would take much memory: beyond 256 MiB of counts their bins get coarser,
and that is reported.
""",
    "export": """\
A table has `model`, `model_version`, `prediction_id`, `prediction_timestamp`, `outcome_timestamp`,
`prediction`, `score`, `outcome`, `value`, then the features by their names and the segments as
`segment.plan`. A feature that is called like one of the first is `feature.score`. `driftgauge profile`
reads the result.
""",
    "reference": """\
A request to the intake door, never a write to a file; what it changes survives a kill. A model whose
configuration gives a reference by a file can't be told to learn another (409).
""",
    "reference relearn": """\
While it learns nothing is compared; from 1,000 records on it is provisional, and after 8 days and 5,000
records frozen. Hours are kept for five weeks, or longer where a window needs it: --window and --since
reach no further. A frozen reference's bins stay, so a category that was new to them stays unseen, and
the range that is in range stays; to have new ones, learn anew or make a file with `driftgauge profile`.
""",
    "healthcheck": """\
In a Dockerfile: `HEALTHCHECK CMD ["driftgauge", "healthcheck"]`.
""",
}


def page() -> str:
    """docs/commands.md: a section for each command."""
    return "\n".join((_HEAD, *_sections(main, ())))


def _sections(group: click.Group, words: tuple[str, ...]) -> Iterator[str]:
    for name, command in group.commands.items():
        title = " ".join((*words, name))
        parts = [f"## `driftgauge {title}`", "", _help(command)]
        parts += _table(command)
        if title in _NOTES:
            parts += ["", _NOTES[title].rstrip()]
        yield "\n".join(parts).rstrip() + "\n"
        if isinstance(command, click.Group):
            yield from _sections(command, (*words, name))


def _help(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _table(command: click.Command) -> Iterator[str]:
    if not command.params:
        return
    yield from ("", "| flag | meaning |", "| --- | --- |")
    context = click.Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Argument):
            meant = _ARGUMENTS.get(parameter.name or "", "the file")
            yield f"| `{parameter.human_readable_name}` | {meant} |"
        elif record is not None:
            flags, meaning = record
            listed = ", ".join(f"`{flag}`" for flag in flags.split(", "))
            yield f"| {listed.replace('|', chr(92) + '|')} | {' '.join(meaning.split())} |"


def write(root: Path) -> None:
    """Write the document under the repository *root*."""
    path = root / "docs" / "commands.md"
    path.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")


if __name__ == "__main__":
    write(Path.cwd())
