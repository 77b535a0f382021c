"""`driftgauge profile`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from driftgauge.config import Limits, Model
    from driftgauge.profile import Profile

_STDOUT = Path("-")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="TRAIN.csv")
@click.option("--time", metavar="COL", help="When each record was; gives counts by day, which verdicts need.")
@click.option("--score", metavar="COL", help="The model's score.")
@click.option("--prediction", metavar="COL", help="The model's prediction: a class, a boolean or a number.")
@click.option(
    "--outcome",
    metavar="COL",
    help="What happened. No feature; read to guess the task as `serve` does, and in no reference.",
)
@click.option(
    "--segment", "segments", multiple=True, metavar="COL", help="A segment, no feature. Repeatable."
)
@click.option("--id", "ids", multiple=True, metavar="COL", help="The record's id; not read. Repeatable.")
@click.option("--ignore", "ignored", multiple=True, metavar="COL", help="To leave out. Repeatable.")
@click.option(
    "--model-config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A configuration of `serve`: kinds and ranges of features, segments, task, limits.",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Whose settings in --model-config; its only model, or its defaults, without the flag.",
)
@click.option(
    "--task",
    type=click.Choice(["binary", "multiclass", "regression"]),
    help="What is predicted; guessed from the first records without it.",
)
@click.option("--positive-class", metavar="TEXT", help="binary: the class that counts as 1.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="binary: the score from which the class is positive, where there is no prediction.  [default: 0.5]",
)
@click.option(
    "--categories",
    type=click.IntRange(min=1, max=1000),
    help="Categories a feature; the rest is other.  [default: 50]",
)
@click.option(
    "--missing",
    multiple=True,
    metavar="TEXT",
    help="A cell that means a missing value, such as NA, beside the empty one. Repeatable.",
)
@click.option(
    "--delimiter",
    metavar="CHAR",
    default=",",
    show_default=True,
    help="What parts the columns of a CSV file; TAB for a tab, as in files named .tsv.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "ndjson", "parquet"]),
    help="The file's form; told by its name without the flag.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where the reference goes; - for stdout.  [default: TRAIN.reference.json here]",
)
@click.option("--no-progress", is_flag=True, help="No progress bar; nor is there one without a terminal.")
def profile(
    file: Path,
    *,
    time: str | None,
    score: str | None,
    prediction: str | None,
    outcome: str | None,
    segments: tuple[str, ...],
    ids: tuple[str, ...],
    ignored: tuple[str, ...],
    model_config: Path | None,
    model: str | None,
    task: str | None,
    positive_class: str | None,
    threshold: float | None,
    categories: int | None,
    missing: tuple[str, ...],
    delimiter: str,
    form: str | None,
    output: Path | None,
    no_progress: bool,
) -> None:
    """Make a reference of a model's training records.

    TRAIN.csv is CSV, NDJSON (each gzipped or not) or Parquet (with the extra driftgauge[parquet]). Every
    column without a flag is a feature. The file is read once; memory doesn't grow with its rows.

    Numbers are numeric, texts and booleans categorical. Texts that mostly differ and numbers that only
    grow are identifiers, watched for missing values only. An empty cell is missing.
    """
    from driftgauge.profile import Format, Roles, Settings, summary_lines
    from driftgauge.profile import profile as make

    chosen, limits = _configured(model_config, model)
    chosen = _over(chosen, task, positive_class, threshold)
    settings = Settings(
        roles=Roles(time, score, prediction, outcome, segments, ids, ignored),
        model=chosen,
        limits=limits if categories is None else replace(limits, categories=categories),
        missing=frozenset(missing),
        delimiter=_delimiter(delimiter),
        format=None if form is None else Format(form),
    )
    with _Bar(file, shown=not no_progress) as bar:
        found = make(file, settings, bar.reached)
    target = output or Path(f"{_stem(file)}.reference.json")
    _write(found, target)
    for line in summary_lines(found):
        click.echo(line, err=target == _STDOUT)
    for note in _notes(found, file):
        click.echo(note, err=True)
    if target != _STDOUT:
        click.echo(f"wrote {target}")


def _configured(path: Path | None, name: str | None) -> tuple[Model, Limits]:
    """A model's settings and the limits in the configuration at *path*; the defaults without one."""
    from driftgauge.config import Config
    from driftgauge.config_file import load

    if path is None:
        if name is not None:
            raise click.UsageError("--model: expected --model-config beside it, got none")
        return Config().defaults, Config().limits
    config = load(path)
    if name is None:
        only = tuple(config.models.values())
        return (only[0] if len(only) == 1 else config.defaults), config.limits
    if name not in config.models:
        listed = ", ".join(config.models) or "none"
        raise click.UsageError(f"--model: expected one of {path}'s models ({listed}), got {name!r}")
    return config.models[name], config.limits


def _over(model: Model, task: str | None, positive: str | None, threshold: float | None) -> Model:
    """*model* with what the command line says."""
    from driftgauge.config import Task

    return replace(
        model,
        task=model.task if task is None else Task(task),
        positive_class=model.positive_class if positive is None else positive,
        threshold=model.threshold if threshold is None else threshold,
    )


def _delimiter(text: str) -> str:
    mark = "\t" if text in {"TAB", "\\t"} else text
    if len(mark) != 1 or mark in '\r\n"':
        raise click.BadParameter(f"expected one character or TAB, got {text!r}", param_hint="--delimiter")
    return mark


def _stem(path: Path) -> str:
    """The file's name without what tells its form: ``train`` of ``data/train.csv.gz``."""
    name = path.name.removesuffix(".gz")
    return name.rpartition(".")[0] or name


def _write(found: Profile, target: Path) -> None:
    """Write the reference, whole or not at all."""
    from driftgauge.profile import ProfileError
    from driftgauge.reference import to_json

    text = to_json(found.reference)
    if target == _STDOUT:
        sys.stdout.buffer.write(text)
        return
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.write_bytes(text)
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ProfileError(f"{target}: can't be written: {error.strerror}") from error


def _notes(found: Profile, file: Path) -> Iterator[str]:
    for identifier in found.identifiers:
        why = f"{identifier.reason}; watched for missing values only"
        yield f"{file}: {identifier.name!r} is an identifier: {why}"
    for finding in found.findings:
        yield f"{file}: {finding}"


class _Bar:
    """A progress bar of bytes on stderr, where that is a terminal."""

    def __init__(self, file: Path, *, shown: bool) -> None:
        size = file.stat().st_size if shown and file.is_file() else 0
        self._bar = click.progressbar(
            length=size,
            label=f"reading {file.name}",
            file=sys.stderr,
            hidden=not (shown and sys.stderr.isatty()),
        )

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.render_finish()

    def reached(self, position: int) -> None:
        """Bytes that have been read."""
        self._bar.update(position - self._bar.pos)
