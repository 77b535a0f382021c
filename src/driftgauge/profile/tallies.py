"""One column's learning state over all days."""

from __future__ import annotations

import numpy as np

from driftgauge.profile.counts import CODE_OFFSET, DayCounts, DaySums
from driftgauge.records import Floats, Ints
from driftgauge.sketches.learning import (
    BIN_LIMIT,
    CATEGORY_LIMIT,
    CategoryTally,
    NumericTally,
    bin_codes,
)

_OTHER = (1 << 21) - 1
_COARSEST = 9


class NumericColumn:
    """Numbers by day and learning bin, with their moments about the first finite one.

    Ends in the bins that `NumericTally` would: at most 8,192 over all days.
    """

    def __init__(self) -> None:
        self.centre: float | None = None
        self.level = 0
        self.low, self.high = np.inf, -np.inf
        self.grows = True
        self._last = -np.inf
        self._counts = DayCounts()
        self._finite, self._infinite = DaySums(), DaySums()
        self._deviation, self._square = DaySums(), DaySums()

    @property
    def nbytes(self) -> int:
        """Bytes of its counts."""
        return self._counts.nbytes

    def add(self, values: Floats, slots: Ints) -> None:
        """Count n values in the days *slots*. O(n log n)."""
        fits = np.isfinite(values)
        self._infinite.add(slots[np.isinf(values)])
        finite, days = (values, slots) if fits.all() else (values[fits], slots[fits])
        if not finite.size:
            return
        if self.centre is None:
            self.centre = float(finite[0])
        self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))
        self._watch_growth(finite)
        about = finite - self.centre
        self._finite.add(days)
        self._deviation.add(days, about)
        self._square.add(days, about * about)
        codes = (bin_codes(finite) >> self.level) + CODE_OFFSET
        if self._counts.add(days, codes):
            self._fit()

    def _watch_growth(self, finite: Floats) -> None:
        if self.grows:
            self.grows = bool(finite[0] > self._last and (np.diff(finite) > 0).all())
            self._last = float(finite[-1])

    def _fit(self) -> None:
        while self._counts.codes().size > BIN_LIMIT:
            self._shift()

    def _shift(self) -> None:
        self._counts.shift()
        self.level += 1

    def coarsen(self) -> bool:
        """Give up one bit of resolution to save memory; False when there is none left to give."""
        if self.level >= _COARSEST:
            return False
        self._shift()
        return True

    def tally(self, slot: int, records: int) -> NumericTally:
        """The learning tally of one day of *records* records."""
        codes, counts = self._counts.of(slot)
        finite, infinite = int(self._finite[slot]), int(self._infinite[slot])
        return NumericTally(
            self.centre or 0.0,
            self.level,
            codes - CODE_OFFSET,
            counts,
            records - finite - infinite,
            infinite,
            self._deviation[slot],
            self._square[slot],
        )

    def settle(self) -> None:
        """Bring the bins to their final number."""
        self._fit()

    @property
    def values(self) -> bool:
        """Whether any finite value was seen."""
        return self.centre is not None


class TextColumn:
    """Texts by day: the 1,024 that sort first, the rest as other, as `CategoryTally` keeps them."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._greatest: str | None = None
        self._counts = DayCounts()
        self._present = DaySums()

    @property
    def nbytes(self) -> int:
        """Bytes of its counts."""
        return self._counts.nbytes

    def add(self, texts: list[str | None], slots: Ints) -> None:
        """Count n texts in the days *slots*. O(n)."""
        distinct = set(texts)
        known = {text: -1 if text is None else self._code(text) for text in distinct}
        codes = np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))
        if None in distinct:
            present = codes >= 0
            codes, slots = codes[present], slots[present]
        self._present.add(slots)
        if codes.size:
            self._counts.add(slots, codes)
        if len(self._codes) > 2 * CATEGORY_LIMIT:
            self._prune()

    def _code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            if self._greatest is not None and text > self._greatest:
                return _OTHER
            code = self._codes[text] = len(self._codes)
        return code

    def _prune(self) -> None:
        """Keep the texts that sort first: which stay must not depend on their order in the file."""
        kept = sorted(self._codes)[:CATEGORY_LIMIT]
        table = np.full(_OTHER + 1, _OTHER, np.int64)
        for place, text in enumerate(kept):
            table[self._codes[text]] = place
        self._counts.recode(table)
        self._codes = {text: place for place, text in enumerate(kept)}
        self._greatest = kept[-1]

    def settle(self) -> None:
        """Fold what is beyond the limit."""
        if len(self._codes) > CATEGORY_LIMIT:
            self._prune()
        self._texts = {code: text for text, code in self._codes.items()}

    def tally(self, slot: int, records: int) -> CategoryTally:
        """The learning tally of one day of *records* records; after `settle`."""
        codes, counts = self._counts.of(slot)
        found = dict(zip(codes.tolist(), counts.tolist(), strict=True))
        other = found.pop(_OTHER, 0)
        missing = records - int(self._present[slot])
        return CategoryTally({self._texts[code]: n for code, n in found.items()}, other, missing)

    def coarsen(self) -> bool:
        """Texts can't be kept coarser."""
        return False
