"""`driftgauge rules`: alerts of a configuration, or the shipped ones, as files for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from driftgauge.cli.parameters import duration
from driftgauge.config import HOUR

if TYPE_CHECKING:
    from driftgauge.artefacts.rules import RuleFile, TimeScale
    from driftgauge.artefacts.rules.shipped.entry import Links
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
@click.option("--tests", is_flag=True, help="Write tests for `promtool test rules` beside the rules.")
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
@click.option(
    "--window",
    "windows",
    type=duration,
    multiple=True,
    metavar="DURATION",
    help="With --shipped: a window of the fleet's numbers beside 1h, 1d and 7d, in whole hours, as 30d. "
    "Prometheus must keep its data as long. Repeatable.",
)
@click.option("--runbooks", metavar="URL", help="The page that runbook_url leads to, in place of docs/.")
@click.option(
    "--grafana", default="", metavar="URL", help="Put before dashboard_url: https://grafana.example.com."
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
    windows: tuple[float, ...],
    runbooks: str | None,
    grafana: str,
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
        found = "both" if shipped else "neither"
        raise click.UsageError(f"expected --config FILE or --shipped, got {found}")
    if tests and (output is None or form != "prometheus"):
        raise click.UsageError("--tests needs --output and --format prometheus")
    _check_windows(windows, shipped=shipped)
    tree = _loaded(config) if config is not None else None
    factor = time_scale or (tree.time_scale if tree is not None else 1.0)
    if tests and factor != 1:
        raise click.UsageError("--tests are of unscaled rules: leave out the time scale")
    if tree is not None:
        _warn(tree)
    links = _links(tree, runbooks, grafana)
    file = _rules(tree, TimeScale(max(1.0, factor), scrape_interval), windows, links)
    text = _text(file, form, name, namespace, dict(labels))
    if output is None:
        click.echo(text, nl=False)
        return
    file_name = SHIPPED_FILE if tree is None else ALERTS_FILE
    _write(output, {file_name: text, **(_tests(tree, file, file_name, links) if tests else {})})


def _check_windows(windows: tuple[float, ...], *, shipped: bool) -> None:
    if windows and not shipped:
        raise click.UsageError("--window is of the rules that --shipped prints")
    for seconds in windows:
        if seconds < HOUR or seconds % HOUR:
            raise click.UsageError(f"--window: expected whole hours, got {seconds:g} s")


def _loaded(path: Path) -> Config:
    from driftgauge.config_file import load
    from driftgauge.errors import DriftgaugeError

    config = load(path)
    if not config.alerts:
        raise DriftgaugeError(f"{path}: expected entries under alerts, got none; docs/alerts.md shows some")
    return config


def _warn(config: Config) -> None:
    from driftgauge.check import alert_warnings

    for warning in alert_warnings(config):
        click.echo(f"{config.source}: warning: {warning}", err=True)


def _links(config: Config | None, runbooks: str | None, grafana: str) -> Links:
    """Where annotations point: to this repository's pages where nothing is said."""
    from driftgauge.artefacts.alerts import LINKS
    from driftgauge.artefacts.rules.shipped.entry import Links

    links = replace(Links() if config is None else LINKS, grafana=grafana.removesuffix("/"))
    return links if runbooks is None else replace(links, runbooks=runbooks)


def _rules(config: Config | None, scale: TimeScale, windows: tuple[float, ...], links: Links) -> RuleFile:
    from driftgauge.artefacts.alerts import compiled
    from driftgauge.artefacts.rules.shipped import WINDOWS, shipped_rules

    if config is not None:
        return compiled(config, scale, links)
    return shipped_rules(scale, sorted({*WINDOWS, *windows}), links)


def _text(file: RuleFile, form: str, name: str, namespace: str | None, labels: Mapping[str, str]) -> str:
    from driftgauge.artefacts.rules import operator_text, prometheus_text

    if form == "prometheus":
        return prometheus_text(file)
    return operator_text(file, name=name, namespace=namespace, labels=labels)


def _tests(config: Config | None, file: RuleFile, file_name: str, links: Links) -> Mapping[str, str]:
    from driftgauge.artefacts.alerts import test_files
    from driftgauge.artefacts.rules.promtool import test_text
    from driftgauge.artefacts.rules.shipped import shipped_tests

    if config is None:
        names = {"rules": False, "chain": True}
        made = {name: shipped_tests(coarse=coarse, links=links) for name, coarse in names.items()}
    else:
        made = dict(test_files(config, file, file_name, links))
    stem = file_name.removesuffix(".rules.yml")
    return {f"{stem}.{name}.test.yml": test_text(tests) for name, tests in made.items()}


def _write(directory: Path, texts: Mapping[str, str]) -> None:
    from driftgauge.errors import DriftgaugeError

    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
            click.echo(f"wrote {directory / name}", err=True)
    except OSError as error:
        raise DriftgaugeError(f"{directory}: can't be written: {error.strerror}") from error
