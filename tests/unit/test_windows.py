"""Grids, panes and the names of windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.layout import Row
from driftgauge.windows import (
    RECOMPUTE_AFTER,
    Grid,
    GroupTotals,
    PaneSeries,
    Part,
    RangeTotal,
    dirty_rows,
    window_name,
)

WIDTHS = st.sampled_from([60.0, 3600.0, 60 / 1440, 3600 / 7, 2_615_760.0, 86_400.0])


def one(n=1, total=0.0):
    return Row(np.array([n], np.uint32), np.array([total]))


def series(saved=None):
    held = {} if saved is None else saved
    asked = []

    def load(part, index):
        asked.append((part, index))
        return held.get((part, index))

    made = PaneSeries(Grid(60.0), load, lambda _: one(0))
    return made, asked


@given(WIDTHS, st.floats(0, 2e9), st.floats(0, 2e9))
def test_a_pane_holds_its_begin_and_not_its_end(width, origin, time):
    grid = Grid(width, origin)
    index = grid.index(time)
    slack = 1e-6  # a time within a microsecond of an edge may fall on either side
    assert grid.start(index) - slack <= time < grid.start(index + 1) + slack


@pytest.mark.parametrize("width", [60.0, 3600.0, 86_400.0])
def test_whole_seconds_fall_exactly(width):
    grid = Grid(width)
    for index in (0, 1, 472_222, 28_333_333):
        assert grid.index(index * width) == index
        assert grid.index(index * width - 1e-3) == index - 1
        assert grid.start(index) == index * width


@pytest.mark.parametrize(
    ("window", "width", "panes"),
    [(3600, 60, 60), (3601, 60, 61), (30, 60, 1), (86_400, 3600, 24), (0.1 * 3, 0.1, 3)],
)
def test_closed_panes_cover_the_window(window, width, panes):
    assert Grid(width).closed_panes(window) == panes


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (60, "1m"),
        (3600, "1h"),
        (5400, "90m"),
        (86_400, "1d"),
        (604_800, "7d"),
        (90_000, "25h"),
        (2_592_000, "30d"),
        (61, "61s"),
        (0.5, "0.5s"),
    ],
)
def test_a_window_is_named_by_the_largest_unit_that_divides_it(seconds, name):
    assert window_name(seconds) == name


def test_a_pane_begins_empty_and_adds_up_without_keeping_what_was_added():
    held, _ = series()
    row = one(2, 1.5)
    held.add(Part.TRAFFIC, 7, row)
    held.add(Part.TRAFFIC, 7, row)
    row.counts[0] = 99
    assert held.row(Part.TRAFFIC, 7).counts[0] == 4
    assert held.row(Part.TRAFFIC, 8) is None
    assert held.row(Part.INPUTS, 7) is None


def test_adding_to_a_pane_that_lies_in_the_store_adds_to_what_is_there():
    held, _ = series({(Part.TRAFFIC, 3): one(10)})
    held.add(Part.TRAFFIC, 3, one(1))
    assert held.row(Part.TRAFFIC, 3).counts[0] == 11


def test_only_clean_and_old_panes_are_let_go():
    saved = {}
    held, asked = series(saved)
    for index in range(4):
        held.add(Part.TRAFFIC, index, one(index))
    held.forget(3)
    assert len(held.hot) == 4, "nothing has been saved"
    for part, index, row in dirty_rows(held):
        saved[part, index] = row.copy()
    held.dirty.clear()
    held.add(Part.TRAFFIC, 1, one(5))
    held.forget(3)
    assert sorted(index for _, index in held.hot) == [1, 3]
    asked.clear()
    assert held.row(Part.TRAFFIC, 2).counts[0] == 2
    assert asked == [(Part.TRAFFIC, 2)]


def test_dirty_panes_come_in_order():
    held, _ = series()
    for part, index in ((Part.TRAFFIC, 5), (Part.ARRIVED, 9), (Part.TRAFFIC, -2)):
        held.add(part, index, one())
    assert [(part, index) for part, index, _ in dirty_rows(held)] == [
        (Part.ARRIVED, 9),
        (Part.TRAFFIC, -2),
        (Part.TRAFFIC, 5),
    ]


def test_a_total_moves_by_what_differs_and_not_by_what_it_holds():
    held, asked = series({(Part.TRAFFIC, i): one(i, float(i)) for i in range(200)})
    total = RangeTotal(held, Part.TRAFFIC)
    total.move(0, 50)
    held.hot.clear()
    asked.clear()
    total.move(1, 51)
    assert [index for _, index in asked] == [50, 0]
    assert (total.row.counts[0], total.row.sums[0]) == (sum(range(1, 51)), sum(range(1, 51)))


def test_a_total_is_made_anew_after_so_many_steps():
    held, asked = series({(Part.TRAFFIC, i): one(1, 1.0) for i in range(400)})
    total = RangeTotal(held, Part.TRAFFIC)
    total.move(0, 60)
    sums = []
    for end in range(61, 61 + RECOMPUTE_AFTER):
        held.hot.clear()
        asked.clear()
        total.move(end - 60, end)
        sums.append(len(asked))
    assert sums.count(60) == 1
    assert set(sums) == {2, 60}
    assert total.row.counts[0] == 60


def test_a_total_whose_ranges_do_not_overlap_is_made_anew():
    held, _ = series({(Part.TRAFFIC, i): one(i) for i in range(100)})
    total = RangeTotal(held, Part.TRAFFIC)
    total.move(0, 10)
    total.move(90, 95)
    assert total.row.counts[0] == sum(range(90, 95))
    total.move(0, 10)
    assert total.row.counts[0] == sum(range(10))
    total.move(5, 5)
    assert total.row.counts[0] == 0


def test_a_sum_that_has_all_but_cancelled_is_made_anew():
    held, _ = series({(Part.TRAFFIC, i): one(1, 1e30 if i == 0 else 1.0) for i in range(9)})
    total = RangeTotal(held, Part.TRAFFIC)
    total.move(0, 5)
    total.move(1, 6)
    assert total.row.sums[0] == 5.0


def test_a_late_row_reaches_the_totals_that_hold_its_pane():
    held, _ = series({(Part.TRAFFIC, i): one(1) for i in range(10)})
    total = RangeTotal(held, Part.TRAFFIC)
    total.move(2, 6)
    for index in (1, 2, 5, 6):
        held.add(Part.TRAFFIC, index, one(10))
        total.added(Part.TRAFFIC, index, one(10))
    total.added(Part.INPUTS, 3, one(100))
    assert total.row.counts[0] == 24
    total.move(1, 7)
    assert total.row.counts[0] == 46


# --- groups of panes --------------------------------------------------------------------------


def copied(row):
    return Row(row.counts.astype(np.int64), row.sums.copy())


def grouped(held, panes):
    return RangeTotal(held, Part.TRAFFIC, groups=GroupTotals.over(panes, copied))


@given(
    st.integers(1, 90),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3), st.integers(0, 300)), min_size=1, max_size=12),
)
def test_groups_are_what_their_panes_hold_however_the_range_moves(panes, moves):
    held, _ = series({(Part.TRAFFIC, i): one(i, float(i)) for i in range(400) if i % 7})
    total = grouped(held, panes)
    end = 0
    for jump, step, late in moves:
        end = jump if step == 0 else end + step
        total.move(end - panes, end)
        held.add(Part.TRAFFIC, late, one(1_000, 0.5))
        total.added(Part.TRAFFIC, late, one(1_000, 0.5))
        by_group = {}
        for index, row in held.rows(Part.TRAFFIC, end - panes, end + 1):
            by_group.setdefault(index // total.groups.width, []).append(row)
        stacked = total.groups.stacked(held.row(Part.TRAFFIC, end), end)
        if not by_group:
            assert stacked is None
            continue
        wanted = [sum(int(row.counts[0]) for row in by_group[group]) for group in sorted(by_group)]
        assert stacked.counts[:, 0].tolist() == wanted
        sums = [sum(row.sums[0] for row in by_group[group]) for group in sorted(by_group)]
        assert stacked.sums[:, 0] == pytest.approx(sums, abs=1e-6)
        assert total.row.counts[0] <= stacked.counts.sum()


@pytest.mark.parametrize(("panes", "groups"), [(1, 1), (5, 5), (24, 24), (60, 20), (168, 24), (720, 24)])
def test_a_window_has_at_most_24_groups_beside_a_cut_one_and_the_open_panes(panes, groups):
    held, _ = series({(Part.TRAFFIC, i): one(1) for i in range(2_000)})
    total = grouped(held, panes)
    found = set()
    for end in range(1_000, 1_100):
        total.move(end - panes, end)
        found.add(len(total.groups.stacked(None, end).counts))
        assert len(total.groups.stacked(one(), end).counts) <= 26
    assert min(found) == groups
    assert max(found) <= groups + 1


def test_a_step_reads_the_panes_of_no_group_but_the_first():
    held, asked = series({(Part.TRAFFIC, i): one(1, 1.0) for i in range(400)})
    total = grouped(held, 168)
    total.move(0, 168)
    for end in range(169, 169 + 30):
        held.hot.clear()
        asked.clear()
        total.move(end - 168, end)
        assert len(asked) <= 2 + total.groups.width - 1


def test_a_group_forgets_what_has_left_it():
    held, _ = series({(Part.TRAFFIC, i): one(1, 1e30 if i == 0 else 0.1) for i in range(60)})
    total = grouped(held, 48)
    total.move(0, 48)
    total.move(1, 49)
    assert total.groups.width == 2
    assert total.groups.stacked(None, 49).sums[0] == 0.1


def test_the_groups_of_a_copy_are_nobody_elses():
    held, _ = series({(Part.TRAFFIC, i): one(1) for i in range(9)})
    total = grouped(held, 4)
    total.move(0, 4)
    total.groups.stacked(one(), 3).counts[:] = 77
    total.groups.stacked(one(), 4).counts[:] = 77
    assert total.groups.stacked(None, 4).counts[:, 0].tolist() == [1] * 4
