"""Sentences about how the outcome depends on features: concept drift that no input shows.

They rest on verdicts. A drift's PSI is a size that people know; how far a relation has moved says little
without the chance of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.narrate.wording import listed
from driftgauge.snapshot import RelationShift, VersionSnapshot


def relation_sentences(version: VersionSnapshot, told: set[str], window: str) -> Iterator[str]:
    """What is new of the relations in *window*: those that changed since, the furthest first, and returns.

    Args:
        told: the features whose relation was last said to have changed; brought up to date.
    """
    judged = [row for row in version.relation_shifts if row.window == window and row.verdict is not None]
    changed = {row.feature for row in judged if row.verdict == 1}
    back = [row.feature for row in judged if row.feature in told and row.feature not in changed]
    fresh = [row for row in judged if row.feature in changed - told]
    told -= set(back)
    told |= changed
    if fresh:
        fresh.sort(key=_size, reverse=True)
        yield (
            f"the outcome depends on {listed([_named(row) for row in fresh])} otherwise than in the "
            f"reference ({window} window)"
        )
    if back:
        yield f"the outcome depends on {listed(back)} as in the reference again ({window} window)"


def _size(row: RelationShift) -> float:
    return row.shift or 0.0


def _named(row: RelationShift) -> str:
    return row.feature if row.shift is None else f"{row.feature} (shift {row.shift:.2f})"
