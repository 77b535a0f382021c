"""The grammar of the two text formats: escaping, heads of families, names.

Text 0.0.4 and OpenMetrics 1.0 share their sample lines; they differ in the head of a family (a
counter's family has no ``_total`` in OpenMetrics, and HELP escapes quotes there) and in the last line.
"""

from __future__ import annotations

import re

from driftgauge.metrics import Metric

EOF_LINE = b"# EOF\n"

_NEEDS_ESCAPE = re.compile('[\\\\"\n\ud800-\udfff]')
_LABEL_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def label_value(text: str) -> str:
    """*text*, first made `encodable`, as it stands between the quotes of a label."""
    if _NEEDS_ESCAPE.search(text) is None:
        return text
    return encodable(text).translate(_LABEL_ESCAPES)


def encodable(text: str) -> str:
    """*text* as UTF-8 can carry it: a lone surrogate becomes the six characters of its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def label_set(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    """The labels of a sample line and what parts them from its value: ``{label="value",...} ``."""
    if not names:
        return " "
    labels = ",".join([f'{n}="{label_value(v)}"' for n, v in zip(names, values, strict=True)])
    return f"{{{labels}}} "


def family_name(metric: Metric) -> str:
    """The name of *metric*'s family in OpenMetrics, and of its prometheus-client object."""
    return metric.name.removesuffix("_total") if metric.type == "counter" else metric.name


def heads(metric: Metric) -> tuple[bytes, bytes]:
    """HELP and TYPE of *metric* in text 0.0.4 and in OpenMetrics."""
    text = (metric.name, metric.help.translate(_HELP_ESCAPES))
    openmetrics = (family_name(metric), metric.help.translate(_LABEL_ESCAPES))
    first, second = (
        f"# HELP {name} {words}\n# TYPE {name} {metric.type}\n".encode()
        for name, words in (text, openmetrics)
    )
    return first, second


def sample_names(metric: Metric) -> frozenset[str]:
    """Every name by which ``name[]`` may ask for *metric*: its family's and its samples'."""
    names = {metric.name, family_name(metric)}
    if metric.type == "histogram":
        names |= {metric.name + suffix for suffix in ("_bucket", "_sum", "_count")}
    return frozenset(names)
