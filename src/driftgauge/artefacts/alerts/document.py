"""docs/alert-metrics.md: every metric that `alerts` can say, in a user's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from driftgauge.config_file import WORDS
from driftgauge.metrics.words import Pooling, Scale, Word

_HEAD: Final = """\
# Metrics in alerts

Made by `make generate` from the metric table. The words that `when.metric` of an entry under `alerts` may
be; [alerts.md](alerts.md) says how entries are written, [metrics.md](metrics.md) what each number means. A
family other than `default` must be listed under `metrics:` in the configuration. p-values, detectors and
sample counts have no word: no alert should stand on them.

What several pods say becomes one number: the *mean* weighs each by the records that it stands on; the
*root of squares* does so before the root is taken; a *total* is added up; a verdict holds where *half* of
the pods that can judge say so; *traffic* is made of counters.

| metric | of | limit | pods | family | stands on |
| --- | --- | --- | --- | --- | --- |
"""

_LIMITS: Final[Mapping[Scale, str]] = MappingProxyType(
    {
        Scale.SHARE: "`10%`",
        Scale.DEVIATIONS: "`0.5 sd`",
        Scale.PLAIN: "`0.25`",
        Scale.SECONDS: "`250ms`",
        Scale.FLAG: "none",
    }
)
_PODS: Final[Mapping[Pooling, str]] = MappingProxyType(
    {
        Pooling.MEAN: "mean",
        Pooling.ROOT_MEAN_SQUARE: "root of squares",
        Pooling.TOTAL: "total",
        Pooling.HALF: "half",
        Pooling.TRAFFIC: "traffic",
    }
)
_SUBJECTS: Final = ("feature", "output", "segment", "class", "against")


def metrics_page() -> str:
    """The page as a whole: a row for each word and each thing that it can be of."""
    return _HEAD + "\n".join(row for words in WORDS.values() for row in _rows(words)) + "\n"


def _rows(words: tuple[Word, ...]) -> Iterator[str]:
    for word in words:
        cells = (
            f"`{word.text}`",
            _of(word),
            _LIMITS[word.scale],
            _PODS[word.pooling],
            f"`{word.metric.family}`",
            f"`{word.metric.name}`",
        )
        yield f"| {' | '.join(cells)} |"


def _of(word: Word) -> str:
    """What must or may be named beside the metric."""
    labels = [label for label in _SUBJECTS if label in word.metric.labels]
    return ", ".join(labels) or "the model"
