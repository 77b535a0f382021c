"""From the hash of a prediction's id to its row: an index in memory over an append-only log on disk.

The log holds the whole 128-bit hash; the index holds 32 bits of it (the *print*) beside the row's
number, so a hit is a candidate that the caller compares in full.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
Positions: TypeAlias = NDArray[np.int64]

SLOTS = 8
FIRST_LEVEL = 8  # 256 buckets: 16 KiB
FULLEST = 0.7  # share of slots in use from which the table grows; beyond it the overflow does
EMPTIEST = 0.25  # share below which it shrinks
GROWN_AT_ONCE = 256  # buckets, 16 KiB
EQUAL_PRINTS = 48  # entries of one print that the overflow holds, beside 16 in its two buckets
PIECE = 4096  # keys looked up at once: half a MiB of buckets, which stays in the core's cache
HUGE_FROM = 1 << 24  # bytes from which large pages pay: they are touched in order, so none is wasted

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SPAN = 1 << 32
_PLACE_BITS = 16  # of a place among the words stored at once: a shrinking table's are 8 times PIECE


class JoinIndex:
    """Rows of a log by the hash of their id; entries below a watermark are forgotten.

    Buckets of 8 words (print << 32 | row number modulo 2**32), two candidate buckets a key, the
    emptier one taken (Azar et al., 1994). Both addresses follow from the print alone, so linear
    hashing (Litwin, 1980) splits and joins buckets a few at each ``add``, without the log: no call
    costs more because the table is large. What finds both buckets full goes to a small sorted
    overflow. Row numbers are kept modulo 2**32 and read relative to the watermark; a sweep in step
    with ``add`` clears forgotten entries long before their numbers could come round again.

    Deterministic; one thread. Memory: 11 to 14 bytes a row held while rows come and go, 20 KiB
    when empty; it shrinks again. Measured to 10 million rows, in lists of 1000: ``add`` 1.2 us,
    ``candidates`` 0.4 to 0.6 us a key, no call above 15 ms on a busy machine.

    Attributes:
        refused: entries not taken because more than 64 rows had the same print. For hashes that
            nobody chose this needs more than 1e11 rows; such a row can't be joined.
        forced: rows forgotten because 2**32 younger row numbers were given out.
    """

    def __init__(self) -> None:
        self.refused = 0
        self.forced = 0
        self._watermark = 0
        self._next = 0
        self._expected = 0
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._memory = _Memory(SLOTS << FIRST_LEVEL)
        self._used = np.zeros(1 << FIRST_LEVEL, np.uint8)
        self._level = FIRST_LEVEL
        self._split = 0
        self._occupied = 0
        self._overflow = np.zeros(0, np.uint64)
        self._floor = self._mark = self._watermark
        self._swept = 0
        self._retry_at = 0

    def __len__(self) -> int:
        """Entries that take memory: the rows held, and forgotten ones that the sweep has yet to meet."""
        return self._occupied + len(self._overflow)

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use, without what is only reserved."""
        return self._buckets * (SLOTS * 8 + 1) + self._overflow.nbytes

    @property
    def overflowed(self) -> int:
        """Entries outside the table."""
        return len(self._overflow)

    @property
    def _buckets(self) -> int:
        return (1 << self._level) + self._split

    def expect(self, rows: int) -> None:
        """Have room at once for so many rows that are about to be added, while there are none: those
        of a log that is read anew need no bucket split on their way. 0 ends waiting for them.
        """
        self._expected = rows
        if rows and not len(self):
            buckets = max(int(rows / (SLOTS * FULLEST)) + 1, 1 << FIRST_LEVEL)
            self._level = buckets.bit_length() - 1
            self._split = buckets - (1 << self._level)
            self._reserve(buckets)

    # -- the three verbs

    def add(self, low: Words, rows: Words) -> None:
        """Take rows into the index.

        Args:
            low: shape (n,), the lower 64 bits of each row's id hash.
            rows: shape (n,), their numbers in the log: rising, and above all given before.
                Rows below the watermark are passed over.

        Raises:
            ValueError: the shapes differ, or rows do not rise.
        """
        if low.shape != rows.shape or low.ndim != 1:
            raise ValueError(f"JoinIndex.add: expected two equal lengths, got {low.shape} and {rows.shape}")
        if not len(rows):
            return
        if int(rows[0]) < self._next or (rows[1:] <= rows[:-1]).any():
            raise ValueError(f"JoinIndex.add: expected rising rows from {self._next}, got {rows[0]} first")
        done = 0
        while done < len(rows):
            # few keys at a time while the table is small: each round places by the fill before it
            end = done + min(PIECE, self._buckets)
            self._add_piece(_prints(low[done:end]), rows[done:end])
            done = end

    def candidates(self, low: Words) -> tuple[Positions, Words]:
        """Rows whose print equals that of a queried hash; compare the whole hash in the log.

        Args:
            low: shape (n,), the lower 64 bits of the hashes asked for; repeats are allowed.

        Returns:
            two arrays of one length: positions in *low*, rising, and row numbers, rising within a
            position. Every row held that has the hash is there; a stranger with equal prints comes
            with a probability of (rows held) / 2**32 a query.
        """
        found = [self._lookup(low[at : at + PIECE], at) for at in range(0, len(low), PIECE)]
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        queries = np.concatenate([queries for queries, _ in found])
        rows = np.concatenate([rows for _, rows in found])
        return queries, rows

    def forget(self, before: int) -> None:
        """Rows numbered below *before* are dead: never returned again, their slots free. O(1)."""
        self._watermark = max(self._watermark, before)
        if self._watermark >= self._next and len(self):
            self._begin_empty()

    def discard(self, low: Words, rows: Words) -> int:
        """Take single rows out (thinned from the log); how many were there. Shapes as for ``add``."""
        words = _prints(low) << _HALF | rows & _LOW
        words = words[(rows >= self._watermark) & (rows < self._next)]
        kept = self._overflow[~np.isin(self._overflow, words)]
        removed = len(self._overflow) - len(kept)
        self._overflow = kept
        first, second = self._addresses(words >> _HALF)
        for address in (first, second):
            removed += self._clear(address, words)
        return removed

    # -- adding

    def _add_piece(self, prints: Words, rows: Words) -> None:
        self._advance(int(rows[-1]) + 1)
        if int(rows[0]) < self._watermark:
            held = rows >= self._watermark
            prints, rows = prints[held], rows[held]
        self._tend(len(rows))
        self._store(prints << _HALF | rows & _LOW)

    def _store(self, words: Words) -> None:
        if not len(words):
            return
        first, second = self._addresses(words >> _HALF)
        takes_second = self._used[second] < self._used[first]
        left = self._put(words, np.where(takes_second, second, first))
        if len(left):
            other = np.where(takes_second[left], first[left], second[left])
            # Mostly the fuller bucket is full where the emptier one is.
            if (self._used[other] < SLOTS).any():
                left = left[self._put(words[left], other)]
        if len(left):
            left = left[self._put_by_moving(words[left])]
        if len(left):
            self._overflow_with(words[left])

    def _put(self, words: Words, address: Positions) -> Positions:
        """Write each word behind its bucket's others; positions of those that found it full."""
        # Sorting numbers that hold both takes a third of the time of a stable argsort.
        both = np.sort(address << _PLACE_BITS | np.arange(len(words)))
        order: Positions = both & ((1 << _PLACE_BITS) - 1)
        buckets = both >> _PLACE_BITS
        begins = np.ones(len(order) + 1, np.bool_)
        np.not_equal(buckets[1:], buckets[:-1], out=begins[1:-1])
        bounds = np.flatnonzero(begins)
        starts, sizes = bounds[:-1], bounds[1:] - bounds[:-1]
        slot = self._used[buckets] + (np.arange(len(order)) - np.repeat(starts, sizes))
        fits = slot < SLOTS
        self._memory.words[buckets[fits] * SLOTS + slot[fits]] = words[order[fits]]
        touched = buckets[starts]
        self._used[touched] = np.minimum(self._used[touched] + sizes, SLOTS)
        left: Positions = order[~fits]
        self._occupied += len(order) - len(left)
        return left

    def _put_by_moving(self, words: Words) -> Positions:
        """Put words whose buckets are both full in place of a resident that has room in its other
        bucket (one step of cuckoo hashing); positions of those for which none has.

        Linear hashing needs it: until the end of a level its unsplit buckets get twice their share.
        """
        homes = np.stack(self._addresses(words >> _HALF), axis=1)
        residents = self._table[homes]
        first, second = self._addresses(residents >> _HALF)
        others = np.where(first == homes[:, :, None], second, first).reshape(len(words), 2 * SLOTS)
        every = np.arange(len(words))
        best = np.argmin(self._used[others], axis=1)
        sources = homes[every, best // SLOTS] * SLOTS + best % SLOTS
        targets = others[every, best]
        # each source and each target serves one word; the losers of such a race overflow
        able = np.array(_first_of_both(sources.tolist(), targets.tolist()))
        able = able[self._used[targets[able]] < SLOTS]
        sources, targets = sources[able], targets[able]
        self._memory.words[targets * SLOTS + self._used[targets]] = self._memory.words[sources]
        self._memory.words[sources] = words[able]
        self._used[targets] += 1
        self._occupied += len(able)
        left = np.ones(len(words), np.bool_)
        left[able] = False
        return np.flatnonzero(left)

    def _overflow_with(self, words: Words) -> None:
        merged = np.sort(np.concatenate((self._overflow[self._alive(self._overflow)], words)))
        prints = merged >> _HALF
        rank = np.arange(len(merged)) - np.searchsorted(prints, prints)
        taken = rank < EQUAL_PRINTS
        self.refused += int((~taken).sum())
        self._overflow = merged[taken]

    # -- looking up

    def _lookup(self, low: Words, offset: int) -> tuple[Positions, Words]:
        prints = _prints(low)
        first, second = self._addresses(prints)
        addresses = np.stack((first, second), axis=1).reshape(-1)
        words = self._table.take(addresses, axis=0).reshape(len(low), 2 * SLOTS)
        equal = (words >> _HALF) == prints[:, None]
        equal[first == second, SLOTS:] = False
        places = np.flatnonzero(equal)
        queries = places // (2 * SLOTS)
        hits = words.reshape(-1)[places]
        if len(self._overflow):
            more_queries, more_hits = self._search_overflow(prints)
            queries = np.concatenate((queries, more_queries))
            hits = np.concatenate((hits, more_hits))
        rows = self._rows(hits)
        live = rows < np.uint64(self._next)
        queries, rows = queries[live], rows[live]
        if (queries[1:] <= queries[:-1]).any():
            order = np.lexsort((rows, queries))
            queries, rows = queries[order], rows[order]
        return queries + offset, rows

    def _search_overflow(self, prints: Words) -> tuple[Positions, Words]:
        begins = np.searchsorted(self._overflow, prints << _HALF)
        counts = np.searchsorted(self._overflow, prints << _HALF | _LOW, side="right") - begins
        queries = np.repeat(np.arange(len(prints)), counts)
        within = np.arange(len(queries)) - np.repeat(np.cumsum(counts) - counts, counts)
        return queries, self._overflow[begins[queries] + within]

    def _rows(self, words: Words) -> Words:
        watermark = np.uint64(self._watermark)
        return watermark + ((words - watermark) & _LOW)

    def _alive(self, words: Words) -> NDArray[np.bool_]:
        """Which words are in use and not forgotten; a forgotten row reads as one yet to come."""
        age: Words = (words - np.uint64(self._watermark)) & _LOW
        alive: NDArray[np.bool_] = age < np.uint64(max(0, self._next - self._watermark))
        alive &= words != 0
        return alive

    # -- the table

    @property
    def _table(self) -> Words:
        return self._memory.words.reshape(-1, SLOTS)

    def _addresses(self, prints: Words) -> tuple[Positions, Positions]:
        return self._address(prints), self._address(prints * _MIX >> _HALF)

    def _address(self, hashes: Words) -> Positions:
        wide = (hashes & np.uint64((2 << self._level) - 1)).astype(np.int64)
        narrow = wide & ((1 << self._level) - 1)
        return np.where(narrow < self._split, wide, narrow)

    def _tend(self, coming: int) -> None:
        """Before *coming* entries: sweep in step with them, and grow or shrink as they need."""
        self._sweep(coming)
        wanted = int((self._occupied + coming) / (SLOTS * FULLEST)) + 1
        if self._buckets < wanted:
            # Many at once, for each growing costs the same however few buckets it adds.
            wanted = max(wanted, self._buckets + min(GROWN_AT_ONCE, self._buckets >> 3))
        while self._buckets < wanted:
            self._grow(wanted - self._buckets)
        filled = max(self._occupied + coming, self._expected)
        if self._buckets > (1 << FIRST_LEVEL) and filled < EMPTIEST * SLOTS * self._buckets:
            self._shrink(coming)
        if len(self._overflow) and self._buckets >= self._retry_at:
            self._retry_at = self._buckets + (self._buckets >> 4) + 1
            self._retry()

    def _grow(self, wanted: int) -> None:
        """Split the next buckets of this level, at most *wanted*: half of each moves to the end."""
        begin, count = self._split, min(wanted, (1 << self._level) - self._split)
        end = self._buckets
        self._reserve(end + count)
        block = self._table[begin : begin + count].copy()
        moves = self._goes_up(block, np.arange(begin, begin + count))
        self._write(slice(begin, begin + count), np.where(moves, 0, block))
        self._write(slice(end, end + count), np.where(moves, block, 0))
        self._split += count
        if self._split == 1 << self._level:
            self._level, self._split = self._level + 1, 0

    def _goes_up(self, block: Words, buckets: Positions) -> NDArray[np.bool_]:
        """Which words of these buckets belong to the upper half once the buckets are split."""
        prints = block >> _HALF
        low_bits, high_bit = np.uint64((1 << self._level) - 1), np.uint64(1 << self._level)
        by_first = (prints & low_bits) == buckets[:, None].astype(np.uint64)
        hashes = np.where(by_first, prints, prints * _MIX >> _HALF)
        goes_up: NDArray[np.bool_] = (hashes & high_bit) != 0
        return goes_up

    def _shrink(self, wanted: int) -> None:
        """Join the last buckets, at most *wanted*, with those that they were split from."""
        if self._split == 0:
            self._level, self._split = self._level - 1, 1 << (self._level - 1)
        count = min(wanted, self._split, self._buckets - (1 << FIRST_LEVEL))
        begin, end = self._split - count, self._buckets - count
        both = np.concatenate((self._table[begin : begin + count], self._table[end : end + count]), axis=1)
        both.sort(axis=1)
        self._write(slice(begin, begin + count), both[:, SLOTS:])
        self._write(slice(end, end + count), np.zeros((count, SLOTS), np.uint64))
        self._split -= count
        self._swept = min(self._swept, begin)  # what was unswept at the end may now stand before it
        left = both[:, :SLOTS]
        self._store(left[left != 0])
        self._memory.release(self._buckets * SLOTS)
        self._retry_at = self._buckets

    def _write(self, buckets: slice | Positions, block: Words) -> None:
        """Replace whole buckets, their words packed to the front."""
        packed = np.sort(block, axis=1)[:, ::-1]
        used = np.count_nonzero(packed, axis=1)
        self._occupied += int(used.sum()) - int(self._used[buckets].sum())
        self._table[buckets] = packed
        self._used[buckets] = used

    def _clear(self, address: Positions, words: Words) -> int:
        buckets, before = np.unique(address), self._occupied
        block = self._table[buckets]
        self._write(buckets, np.where(np.isin(block, words), 0, block))
        return before - self._occupied

    def _reserve(self, buckets: int) -> None:
        self._memory.reserve(buckets * SLOTS)
        if buckets > len(self._used):
            more = buckets + buckets // 4 - len(self._used)
            self._used = np.concatenate((self._used, np.zeros(more, np.uint8)))

    def _retry(self) -> None:
        """Offer the overflow's eldest share to the table again, now that it has grown."""
        words = self._overflow[self._alive(self._overflow)]
        self._overflow = words[PIECE:]
        self._store(words[:PIECE])

    # -- forgetting

    def _sweep(self, count: int) -> None:
        """Clear forgotten entries from the next *count* buckets of the round."""
        if self._floor == self._watermark:
            return
        if self._swept == 0:
            self._mark = self._watermark
        end = min(self._swept + count, self._buckets)
        block = self._table[self._swept : end]
        alive = self._alive(block)
        if int(alive.sum()) < int(self._used[self._swept : end].sum()):
            self._write(slice(self._swept, end), np.where(alive, block, 0))
        self._swept = end
        if end == self._buckets:
            self._overflow = self._overflow[self._alive(self._overflow)]
            self._floor, self._swept = self._mark, 0

    def _advance(self, following: int) -> None:
        """Make room for row numbers below *following*: all entries must lie within 2**32 of it."""
        if following - self._floor >= _SPAN:
            least = following - _SPAN + 1
            if self._watermark < least:
                self.forced += 1
                self._watermark = least
            # a table swept once in its own length of adds gets here only when numbers leap
            self._swept = 0
            self._sweep(self._buckets)
        self._next = following


class _Memory:
    """Zeroed words that grow in place: only what was touched is resident.

    An anonymous mapping that the kernel extends without copying (mremap); where it can't, the
    words are copied once per quarter of growth.
    """

    def __init__(self, words: int) -> None:
        self._map = _anonymous(words * 8)
        self.words: Words = np.frombuffer(self._map, np.uint64)

    def reserve(self, words: int) -> None:
        """Have at least this many words, the new ones zero."""
        if words > len(self.words):
            self._resize(words + (words >> 5 << 3))

    def release(self, words: int) -> None:
        """Give back memory beyond this many words, once that is half of it."""
        if words * 2 < len(self.words):
            self._resize(words + (words >> 5 << 3))

    def _resize(self, words: int) -> None:
        self.words = np.zeros(0, np.uint64)  # the kernel may move the mapping: no array may look at it
        size = words * 8
        try:
            self._map.resize(size)
            self.words = np.frombuffer(self._map, np.uint64)
        except (OSError, SystemError, ValueError, BufferError):
            self._copy(size)
        if size >= HUGE_FROM and hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE)

    def _copy(self, size: int) -> None:
        old, self._map = self._map, _anonymous(size)
        self.words = np.frombuffer(self._map, np.uint64)
        kept = min(len(old), size) // 8
        self.words[:kept] = np.frombuffer(old, np.uint64, kept)


def _first_of_both(sources: Sequence[int], targets: Sequence[int]) -> list[int]:
    """Positions at which both the source and the target stand for the first time. O(n)."""
    seen_sources: set[int] = set()
    seen_targets: set[int] = set()
    found = []
    for position, (source, target) in enumerate(zip(sources, targets, strict=True)):
        if source not in seen_sources and target not in seen_targets:
            found.append(position)
        seen_sources.add(source)
        seen_targets.add(target)
    return found


def _anonymous(size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _prints(low: Words) -> Words:
    """The upper half of each word, never 0: 0 marks a free slot."""
    prints: Words = np.maximum(low >> _HALF, np.uint64(1))
    return prints
