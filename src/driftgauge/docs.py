"""The documents that are made from the code: `python -m driftgauge.docs` writes them.

docs/configuration.md is made from the configuration's classes, docs/metrics.md from the metric
table; a test compares what is checked in with what this module makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from driftgauge.config import Bytes, Config, Model, Ratio, Seconds
from driftgauge.config_alerts import Bound, OfWindows
from driftgauge.config_file.fault import either
from driftgauge.config_file.rendered import value_text
from driftgauge.config_file.shape import Setting, items_of, section_of, settings, values_of

if TYPE_CHECKING:
    from driftgauge.metrics import Advice, Metric, Part

_TYPES: Mapping[object, tuple[str, str]] = MappingProxyType(
    {
        Seconds: ("duration", "durations"),
        Bytes: ("size", "sizes"),
        Ratio: ("ratio", "ratios"),
        Path: ("path", "paths"),
        str: ("text", "texts"),
        bool: ("boolean", "booleans"),
        int: ("whole number", "whole numbers"),
        float: ("number", "numbers"),
        Bound: ("limit", "limits"),
        OfWindows: ("windows of windows", ""),
    }
)

_UNITS = MappingProxyType(
    {"seconds": "seconds", "bytes": "bytes", "ratio": "ratio", "sd": "standard deviations"}
)

_CONFIGURATION_HEAD = """\
# Configuration

Made by `make generate` from the configuration's classes; the settings explained one by one, with
what speaks for and against, are in [config.example.yaml](../config.example.yaml).

One YAML file, given as `driftgauge serve --config FILE`. Everything has a default: with no file at
all driftgauge works. `driftgauge check FILE` names every fault with its line. Unknown keys and keys
given twice are refused.

| type | written |
| --- | --- |
| duration | a number and its unit, `ms`, `s`, `m`, `h`, `d` or `w`: `30s`, `1.5h`; a bare `60` is refused |
| size | a number and its unit, `B`, `KiB`, `MiB` or `GiB`, powers of 1024: `8MiB` |
| ratio | `10%` or `0.1` |
| path | relative to the file's own directory; a default is relative to the working directory |
| text | quotes are not needed for `1`, `true` or `no`; a number or boolean is the text of its JSON form |
| boolean | `true` or `false` |
| limit | `70%`, `0.25`, `0.5 sd` or `250ms`, whichever the metric counts in |
| windows of windows | `2 of 3` |
"""

_EXAMPLE_HEAD = """\
# Made by `make generate`, as by
#   driftgauge manifest --config=driftgauge.yaml --patch=deployment.yaml --config-map={name}{plain}
"""

# What stands below it in a chart's README is made of its values.yaml.
_VALUES = "## Values"

_METRICS_HEAD = """\
# Metrics

Made by `make generate` from the metric table. A family other than `default` is exported where its
name is listed under `metrics:` in the configuration. Too little data: the series is absent, never
NaN. How far to trust them and what to do when they move stands in the last table, names without
their prefix. The family `trigger` is what `driftgauge trigger` exports, and nobody else;
`injector` what `driftgauge injector` does.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration.

    Attributes:
        path: from the root, ``<name>`` for a name that the user chooses: ``models.<name>.task``; ``[]``
            for an entry of a list.
        owner: the class whose setting it is.
    """

    path: str
    owner: type[Any]
    setting: Setting


def generate(root: Path) -> dict[Path, str]:
    """The generated documents by their path under the repository *root*; nothing is written."""
    # Imported here: the configuration's page needs nothing of it.
    from driftgauge.artefacts.alerts.document import metrics_page as alert_metrics_page
    from driftgauge.artefacts.dashboards import DASHBOARDS
    from driftgauge.artefacts.dashboards.document import page as dashboards_page
    from driftgauge.artefacts.rules import prometheus_text
    from driftgauge.artefacts.rules.document import rules_page, runbooks_page
    from driftgauge.artefacts.rules.promtool import test_text
    from driftgauge.artefacts.rules.shipped import shipped_alerts, shipped_rules, shipped_tests
    from driftgauge.trigger.manual import page as trigger_page

    rules = shipped_rules()
    return {
        root / "docs" / "rules.md": rules_page(rules, shipped_alerts()),
        root / "docs" / "trigger.md": trigger_page(),
        root / "docs" / "runbooks.md": runbooks_page(shipped_alerts()),
        root / "prometheus" / "driftgauge.rules.yml": prometheus_text(rules),
        root / "prometheus" / "driftgauge.rules.test.yml": test_text(shipped_tests(coarse=False)),
        root / "prometheus" / "driftgauge.chain.test.yml": test_text(shipped_tests(coarse=True)),
        root / "docs" / "alert-metrics.md": alert_metrics_page(),
        root / "docs" / "dashboards.md": dashboards_page(DASHBOARDS),
        root / "docs" / "configuration.md": configuration_page(),
        root / "docs" / "metrics.md": metrics_page(),
        **{root / "grafana" / "dashboards" / name: text for name, text in dashboards().items()},
        **chart(root / "helm" / "driftgauge"),
        **chart(root / "helm" / "driftgauge-sidecar"),
        **examples(root / "helm" / "examples"),
    }


def examples(folder: Path) -> dict[Path, str]:
    """Each example's Deployment with the sidecar in it, as `driftgauge manifest --patch` gives it."""
    # Imported here: the other documents need nothing of them.
    import yaml

    from driftgauge.artefacts.manifests import Sidecar, config_map, patched
    from driftgauge.artefacts.yaml_text import dumped

    made = {}
    for file in sorted(folder.glob("*/deployment.yaml")):
        resource = yaml.safe_load(file.read_text(encoding="utf-8"))
        name = f"{resource['metadata']['name']}-driftgauge"
        config = config_map(name, (file.parent / "driftgauge.yaml").read_text(encoding="utf-8"))
        for form, native in (("native", True), ("plain", False)):
            with_it = patched(resource, Sidecar(config_map=name, native=native))
            made[file.parent / f"{form}.yaml"] = _EXAMPLE_HEAD.format(
                plain="" if native else " --kubernetes=1.27", name=name
            ) + "---\n".join((dumped(config), dumped(with_it)))
    return made


def chart(folder: Path) -> dict[Path, str]:
    """What is made of a chart's values.yaml: its schema, and the table in its README."""
    # Imported here: the other documents need nothing of them.
    from driftgauge.artefacts.charts import schema_text, values_table

    values = (folder / "values.yaml").read_text(encoding="utf-8")
    readme = (folder / "README.md").read_text(encoding="utf-8")
    head, _, _ = readme.partition(_VALUES)
    return {
        folder / "values.schema.json": schema_text(values),
        folder / "README.md": head + _VALUES + "\n\n" + values_table(values),
    }


def dashboards() -> dict[str, str]:
    """Grafana's dashboards by the name of their file."""
    # Imported here: the other documents need nothing of them.
    from driftgauge.artefacts.dashboards import DASHBOARDS, text

    return {f"{dashboard.uid}.json": text(dashboard) for dashboard in DASHBOARDS}


def keys(tree: type[Any] = Config, prefix: str = "") -> Iterator[Key]:
    """Every key that a file may hold, in order, sections before what stands in them."""
    for setting in settings(tree).values():
        path = f"{prefix}{setting.name}"
        yield Key(path, tree, setting)
        section = section_of(setting.hint)
        entries = section_of(values_of(setting.hint))
        items = section_of(items_of(setting.hint))
        if section is not None:
            yield from keys(section, f"{path}.")
        elif entries is not None:
            yield from keys(entries, f"{path}.<name>.")
        elif items is not None:
            yield from keys(items, f"{path}[].")


def configuration_page() -> str:
    """docs/configuration.md: a table of keys for each section."""
    parts = [_CONFIGURATION_HEAD, *_section_parts(Config, "", "The file")]
    return "\n".join(parts)


def _section_parts(tree: type[Any], prefix: str, title: str) -> Iterator[str]:
    rows = [
        f"| `{prefix}{s.name}` | {_type_text(s)} | {_default_text(s)} | {_cell(s.doc)} |"
        for s in settings(tree).values()
    ]
    yield _table(title, ("key", "type", "default", "meaning"), rows)
    for setting in settings(tree).values():
        yield from _parts_below(setting, f"{prefix}{setting.name}")


def _parts_below(setting: Setting, path: str) -> Iterator[str]:
    section = section_of(setting.hint)
    entries = section_of(values_of(setting.hint))
    items = section_of(items_of(setting.hint))
    if section is Model:
        yield f"## `{path}`\n\nAs `models.<name>`, for every model that is not named there.\n"
    elif section is not None:
        yield from _section_parts(section, f"{path}.", f"`{path}`")
    elif entries is not None:
        yield from _section_parts(entries, f"{path}.<name>.", f"`{path}.<name>`")
    elif items is not None:
        yield from _section_parts(items, f"{path}[].", f"`{path}[]`")


def _table(title: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    lines = [f"## {title}", "", _row(heads), _row(["---"] * len(heads)), *rows]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _type_text(setting: Setting) -> str:
    items, values = items_of(setting.hint), values_of(setting.hint)
    if section_of(setting.hint) is not None:
        return "section"
    if items is not None:
        return f"list of {'sections' if section_of(items) else _name(items, 1)}"
    if values is not None:
        return f"{'sections' if section_of(values) else _name(values, 1)} by name"
    return _name(setting.hint, 0)


def _name(hint: object, number: int) -> str:
    """A type's name; *number* is 0 for one value, 1 for several."""
    if hint in _TYPES:
        return _TYPES[hint][number]
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return either([f"`{member.value}`" for member in hint])
    raise TypeError(f"no name for the type {hint}")


def _default_text(setting: Setting) -> str:
    if setting.required:
        return "required"
    if section_of(setting.hint) is not None:
        return ""
    if setting.default is None:
        return "none"
    if values_of(setting.hint) is not None:
        return "`{}`"
    return f"`{value_text(setting.hint, setting.default)}`"


def metrics_page() -> str:
    """docs/metrics.md: a table for each family, metrics in the order of their table."""
    # Imported here: the configuration's page needs nothing of it.
    from driftgauge.metrics import ADVICE, METRICS

    families = sorted({metric.family for metric in METRICS}, key=lambda f: (f != "default", f))
    tables = [
        _table(
            f"Family `{family}`",
            ("name", "type", "labels", "unit", "meaning"),
            [_metric_row(metric) for metric in METRICS if metric.family == family],
        )
        for family in families
    ]
    advice = _table(
        "How to read them",
        ("metrics", "range", "how far to trust them", "what to do when they move"),
        [_advice_row(each) for each in ADVICE],
    )
    return "\n".join([_METRICS_HEAD, *tables, advice])


def _advice_row(advice: Advice) -> str:
    names = ", ".join(f"`{name}`" for name in advice.metrics)
    return _row((names, _cell(advice.bounds), _cell(advice.trust), _cell(advice.action)))


def _metric_row(metric: Metric) -> str:
    labels = " ".join(f"`{label}`" for label in metric.labels)
    apart = "".join(map(_part, metric.parts))
    return _row((f"`{metric.name}`", metric.type, labels, _unit(metric.name), _cell(metric.help + apart)))


def _part(part: Part) -> str:
    return f" By {part.label}: with the family `{part.family}`."


def _unit(name: str) -> str:
    """The base unit that a metric's name ends in; empty for counts and plain numbers."""
    last = name.removesuffix("_total").rsplit("_", 1)[-1]
    return _UNITS.get(last, "")


def main(root: Path) -> None:
    """Write the generated documents under *root*."""
    for path, text in generate(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")


if __name__ == "__main__":
    main(Path.cwd())
