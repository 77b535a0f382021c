"""What a reader has chosen to see, as it stands in the page's address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

from driftgauge.snapshot import Cohort, Snapshot, VersionSnapshot

COVERED: Final = 0.8
LONGEST: Final = 300
VERDICT: Final = "verdict"
SORTS: Final = (VERDICT, "name", "psi", "ks", "shift", "missing", "unseen", "relation")


@dataclass(frozen=True, slots=True)
class Selection:
    """None, or empty, is what the reader left to the page.

    Attributes:
        feature, output: whose distribution is drawn; one of the two.
        sort: one of `SORTS`; search: a part of the names to be listed; every: list all of them.
        told: whether sentences about every model are listed, not about the one alone.
    """

    model: str | None = None
    version: str | None = None
    window: str = ""
    feature: str | None = None
    output: str = ""
    sort: str = VERDICT
    search: str = ""
    every: bool = False
    told: bool = False

    @property
    def name(self) -> tuple[str, str] | None:
        """Feature and output; None while neither is chosen."""
        return ("", self.output) if self.output else None if self.feature is None else (self.feature, "")

    def pairs(self) -> list[tuple[str, str]]:
        """What stands in the address; what is as it begins is left out."""
        found: list[tuple[str, str | None]] = [
            ("model", self.model),
            ("version", self.version),
            ("window", self.window or None),
            ("feature", None if self.output else self.feature),
            ("output", self.output or None),
            ("sort", None if self.sort == VERDICT else self.sort),
            ("search", self.search or None),
            ("every", "1" if self.every else None),
            ("told", "1" if self.told else None),
        ]
        return [(name, value) for name, value in found if value is not None]


def asked(query: Mapping[str, str]) -> Selection:
    """The selection of an address; what can't be one is passed over."""
    sort = query.get("sort", VERDICT)
    return Selection(
        model=query.get("model"),
        version=query.get("version"),
        window=query.get("window", ""),
        feature=query.get("feature"),
        output=query.get("output", ""),
        sort=sort if sort in SORTS else VERDICT,
        search=query.get("search", "")[:LONGEST],
        every=query.get("every") == "1",
        told=query.get("told") == "1",
    )


def link(selection: Selection, anchor: str = "", **changes: Any) -> str:
    """The address of *selection* with *changes*, as the value of an attribute."""
    changed = replace(selection, **changes)
    return escape("?" + urlencode(changed.pairs(), errors="replace") + (f"#{anchor}" if anchor else ""))


def chosen_version(snapshot: Snapshot, selection: Selection) -> VersionSnapshot | None:
    """The version that is shown: the one chosen, else the model's newest, else where most has moved."""
    rows = [v for v in snapshot.versions if selection.model in {None, v.state.model}] or snapshot.versions
    exact = [v for v in rows if v.state.model_version == selection.version]
    if selection.model is not None and (exact or rows is not snapshot.versions):
        return (exact or list(rows))[-1]
    newest = {version.state.model: version for version in rows}
    return max(newest.values(), key=_moved, default=None)


def _moved(version: VersionSnapshot) -> float:
    window = telling_window(version)
    return sum((v.drift or 0.0) + (v.beyond_reference or 0.0) for v in version.verdicts if v.window == window)


def windows(version: VersionSnapshot) -> tuple[str, ...]:
    """Labels in the order of the configuration, which rises."""
    return tuple(dict.fromkeys([*(r.window for r in version.windows), *(r.window for r in version.drift)]))


def telling_window(version: VersionSnapshot) -> str:
    """The longest window that is nearly complete, else the shortest; empty where there is none."""
    covered = {
        row.window
        for row in version.windows
        if row.cohort == Cohort.PREDICTED and (row.covered_ratio or 0.0) >= COVERED
    }
    found = windows(version)
    complete = [window for window in found if window in covered]
    return complete[-1] if complete else next(iter(found), "")
