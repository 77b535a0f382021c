"""Rows: named slices of a vector, addition, and bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.errors import StoreError
from driftgauge.layout import Layout, Row

LAYOUT = Layout(counts={"a": (2, 3), "b": (1,)}, sums={"s": (2,)})


def row(counts, sums=(0.0, 0.0)):
    return Row(np.array(counts, np.uint32), np.array(sums, np.float64))


def test_blocks_follow_each_other_and_are_views():
    held = LAYOUT.zero()
    LAYOUT.count(held, "a")[1, 2] = 5
    LAYOUT.count(held, "b")[0] = 7
    LAYOUT.sum(held, "s")[:] = [1.5, -2.0]
    assert held.counts.tolist() == [0, 0, 0, 0, 0, 5, 7]
    assert held.sums.tolist() == [1.5, -2.0]
    assert (LAYOUT.cells, LAYOUT.sum_cells, held.nbytes) == (7, 2, 7 * 4 + 2 * 8)


def test_a_row_of_other_lengths_does_not_fit():
    assert LAYOUT.fits(LAYOUT.zero())
    assert not LAYOUT.fits(Row(np.zeros(6, np.uint32), np.zeros(2)))
    assert not LAYOUT.fits(Row(np.zeros(7, np.uint32), np.zeros(3)))


@given(
    st.lists(st.integers(0, 2**32 - 1), max_size=60),
    st.lists(st.floats(allow_nan=True, width=64), max_size=8),
)
def test_bytes_read_back_equal(counts, sums):
    held = row(counts, sums)
    again = Row.from_bytes(held.to_bytes())
    assert again.counts.tolist() == held.counts.tolist()
    np.testing.assert_array_equal(again.sums, held.sums)
    assert (again.counts.dtype, again.sums.dtype) == (np.uint32, np.float64)
    again.counts += 1  # a row that was read is its reader's own
    again.sums += 1


@pytest.mark.parametrize(("top", "width"), [(255, 1), (256, 2), (65_535, 2), (65_536, 4), (2**32 - 1, 4)])
def test_counts_take_the_narrowest_width_that_holds_them(top, width):
    dense = row([top] * 100, ())
    assert len(dense.to_bytes()) == 16 + 100 * width
    sparse = row([0] * 99 + [top], ())
    assert len(sparse.to_bytes()) == 16 + 4 + width


def test_a_batch_of_few_records_takes_few_bytes():
    held = row([0] * 4_000 + [1, 2, 3])
    assert len(held.to_bytes()) == 16 + 3 * 5 + 4


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ([2**32 - 1, 0, 0, 257], "its header says 4294967295 counts of form 257"),
        ([4, 0, 0, 3], "its header says 4 counts of form 3"),
        ([4, 0, 0, 1024 + 1], "its header says 4 counts of form 1025"),
        ([4, 0, 2, 1], "its header says 36 bytes"),
        ([4, 9, 0, 257], "its header says 61 bytes"),
    ],
)
def test_bytes_that_are_no_row_are_refused_with_what_they_say(header, words):
    data = np.array(header, "<u4").tobytes() + b"\1\2"
    with pytest.raises(StoreError) as caught:
        Row.from_bytes(data)
    assert str(caught.value) == f"a saved row of 18 bytes can't be read: {words}"


def test_a_place_beyond_the_row_is_refused():
    data = np.array([4, 1, 0, 257, 9], "<u4").tobytes() + b"\1"
    with pytest.raises(StoreError, match=r"^a saved row of 21 bytes can't be read: index 9 is out of bounds"):
        Row.from_bytes(data)


def test_sums_that_are_mostly_0_are_saved_by_their_places():
    sums = np.zeros(1_000)
    sums[[3, 999]] = [1e300, -0.5]
    held = Row(np.arange(4, dtype=np.uint32), sums)
    data = held.to_bytes()
    assert len(data) == 16 + 4 + 4 + 2 * 12
    again = Row.from_bytes(data)
    np.testing.assert_array_equal(again.counts, held.counts)
    np.testing.assert_array_equal(again.sums, sums)
    for spoilt in (data[:-1], data + b"1", data[:22] + b"\xff" + data[23:]):
        with pytest.raises(StoreError, match="a saved row of"):
            Row.from_bytes(spoilt)
    beyond = bytearray(data)
    beyond[24:28] = np.array([1_000], "<u4").tobytes()
    with pytest.raises(StoreError, match="a saved row of"):
        Row.from_bytes(bytes(beyond))
