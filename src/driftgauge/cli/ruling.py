"""`driftgauge rules`: alerts of a configuration, or the shipped ones, as files for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from driftgauge.cli.parameters import duration

if TYPE_CHECKING:
    from driftgauge.artefacts.rules import RuleFile, TimeScale
    from driftgauge.config import Config

ALERTS_FILE: Final = "driftgauge-alerts.rules.yml"
SHIPPED_FILE: Final = "driftgauge.rules.yml"


def _pair(text: str) -> tuple[str, str]:
    """``release=prometheus``."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"expected NAME=VALUE, got {text!r}")
    return name, value


@click.command()
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration whose `alerts` are compiled.",
)
@click.option(
    "--shipped", is_flag=True, help="The generic rules, for any model, in place of a configuration's."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["prometheus", "operator"]),
    default="prometheus",
    show_default=True,
    help="A rule file, or a PrometheusRule of the Prometheus operator.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where files go; stdout without it.",
)
@click.option("--tests", is_flag=True, help="Write tests for `promtool test rules` beside the rules of FILE.")
@click.option(
    "--time-scale",
    type=click.FloatRange(min=1),
    metavar="N",
    help="Divide every duration, for demonstrations and tests; FILE's time_scale, or 1, without it.",
)
@click.option(
    "--scrape-interval",
    type=duration,
    default="30s",
    show_default=True,
    metavar="DURATION",
    help="How often Prometheus scrapes; it matters beside a time scale.",
)
@click.option("--name", default="driftgauge", show_default=True, help="The PrometheusRule's name.")
@click.option("--namespace", help="The PrometheusRule's namespace.")
@click.option(
    "--label",
    "labels",
    type=_pair,
    multiple=True,
    metavar="NAME=VALUE",
    help="A label of the PrometheusRule, by which a Prometheus selects it. Repeatable.",
)
def rules(
    config: Path | None,
    *,
    shipped: bool,
    form: str,
    output: Path | None,
    tests: bool,
    time_scale: float | None,
    scrape_interval: float,
    name: str,
    namespace: str | None,
    labels: tuple[tuple[str, str], ...],
) -> None:
    """Compile the alerts of a configuration to Prometheus rules.

    With --tests also to tests of them: each alert fires, doesn't just below its limit, resolves, and is
    silent without data. --shipped prints the generic rules, under a time scale or for the operator.
    """
    from driftgauge.artefacts.rules import TimeScale

    if shipped == (config is not None):
        raise click.UsageError(
            "expected --config FILE or --shipped, got " + ("both" if shipped else "neither")
        )
    if tests and (shipped or output is None or form != "prometheus"):
        raise click.UsageError("--tests needs --config, --output and the format prometheus")
    found = _loaded(config) if config is not None else None
    factor = time_scale or (found.time_scale if found is not None else 1.0)
    if tests and factor != 1:
        raise click.UsageError("--tests are of unscaled rules: leave out the time scale")
    file = _rules(found, TimeScale(max(1.0, factor), scrape_interval))
    text = _text(file, form, name, namespace, dict(labels))
    if output is None:
        click.echo(text, nl=False)
        return
    file_name = SHIPPED_FILE if found is None else ALERTS_FILE
    texts = {file_name: text}
    if tests and found is not None:
        texts |= _tests(found, file, file_name)
    _write(output, texts)


def _loaded(path: Path) -> Config:
    from driftgauge.config_file import load
    from driftgauge.errors import DriftgaugeError

    config = load(path)
    if not config.alerts:
        raise DriftgaugeError(f"{path}: expected entries under alerts, got none; docs/alerts.md shows some")
    return config


def _rules(config: Config | None, scale: TimeScale) -> RuleFile:
    if config is None:
        from driftgauge.artefacts.rules.shipped import shipped_rules

        return shipped_rules(scale)
    from driftgauge.artefacts.alerts import compiled

    return compiled(config, scale)


def _text(file: RuleFile, form: str, name: str, namespace: str | None, labels: Mapping[str, str]) -> str:
    from driftgauge.artefacts.rules import operator_text, prometheus_text

    if form == "prometheus":
        return prometheus_text(file)
    return operator_text(file, name=name, namespace=namespace, labels=labels)


def _tests(config: Config, file: RuleFile, file_name: str) -> Mapping[str, str]:
    from driftgauge.artefacts.alerts import test_files
    from driftgauge.artefacts.rules.promtool import test_text

    stem = file_name.removesuffix(".rules.yml")
    return {
        f"{stem}.{step}.test.yml": test_text(each)
        for step, each in test_files(config, file, file_name).items()
    }


def _write(directory: Path, texts: Mapping[str, str]) -> None:
    from driftgauge.errors import DriftgaugeError

    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
            click.echo(f"wrote {directory / name}", err=True)
    except OSError as error:
        raise DriftgaugeError(f"{directory}: can't be written: {error.strerror}") from error
