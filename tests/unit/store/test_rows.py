"""Logs of rows: what is appended is read, dropped, thinned, and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.config import Durability
from driftgauge.store import Append, Batch, Store
from driftgauge.store.directory import BLOB_BYTES


def numbers(*values):
    return np.array(values, np.uint64)


def test_rows_come_back_in_any_order_and_as_often_as_asked(store, batch_of, cells):
    store.commit(batch_of(0, 3000))
    wanted = np.random.default_rng(1).integers(0, 3000, 5000).astype(np.uint64)
    rows, found = store.rows(1, wanted)
    assert found.all()
    assert (rows == cells(0, 3000)[wanted.astype(int)]).all()


def test_rows_that_never_were_are_not_found(store, batch_of):
    store.commit(batch_of(100, 10))
    rows, found = store.rows(1, numbers(99, 100, 109, 110, 1 << 63, (1 << 64) - 1))
    assert found.tolist() == [False, True, True, False, False, False]
    assert not rows[~found].any()


def test_asking_for_no_rows_and_asking_an_unknown_log(store, batch_of):
    store.commit(batch_of(0, 1))
    assert store.rows(1, numbers())[0].shape == (0, 16)
    rows, found = store.rows(9, numbers(1, 2))
    assert (rows.shape, found.tolist()) == ((2, 0), [False, False])
    assert list(store.scan(9)) == []
    assert store.oldest(9, 1e9, 5) == ()
    assert store.expired(9, 1e9) == ()
    assert (store.end(9), store.row_bytes(9)) == (0, 0)


def test_structured_rows_are_kept_as_their_bytes(store):
    rows = np.zeros(3, [("low", "<u8"), ("high", "<u8"), ("bins", "u1", 5)])
    rows["high"] = [1, 2, 3]
    rows["bins"][:, 4] = 9
    store.commit(Batch(b"", appends=(Append(4, 0, rows, np.zeros(3)),)))
    got, _ = store.rows(4, numbers(2, 0))
    assert (got.view(rows.dtype).reshape(-1) == rows[[2, 0]]).all()


def test_logs_do_not_see_each_other(store, batch_of, cells):
    store.commit(batch_of(0, 10, log=1))
    store.commit(batch_of(0, 20, log=2, itemsize=24))
    store.commit(batch_of(0, 5, log=32767))
    assert store.logs() == (1, 2, 32767)
    assert store.rows(2, numbers(19))[0].tolist() == cells(19, 1, 24).tolist()
    assert [len(h.rows) for h in store.scan(1)] == [10]
    assert [store.row_bytes(log) for log in (1, 2, 32767)] == [160, 480, 80]
    assert store.statistics().pending_bytes == 720
    assert store.statistics().pending_rows == 35


def test_several_appends_of_one_log_go_into_one_batch(store, cells):
    appends = tuple(Append(1, first, cells(first, 7), np.zeros(7)) for first in (0, 7, 14))
    store.commit(Batch(b"", appends=appends))
    assert (store.rows(1, np.arange(21, dtype=np.uint64))[0] == cells(0, 21)).all()
    assert store.end(1) == 21


def test_rows_of_a_minute_share_a_blob_and_later_ones_do_not(store, batch_of):
    for second in range(0, 180, 2):
        store.commit(batch_of(second // 2, 1, time=second))
    assert store.expired(1, 1e9) == ((0, 31), (31, 31), (62, 28))
    assert store.expired(1, 60.0) == ()
    assert store.expired(1, 60.5) == ((0, 31),)


def test_a_blob_is_bounded_and_a_batch_is_cut_evenly(store, batch_of):
    store.commit(batch_of(0, 1100))
    spans = [span for _, span in store.expired(1, 1.0)]
    assert sum(spans) == 1100
    assert max(spans) * 16 <= BLOB_BYTES
    assert max(spans) - min(spans) <= 1


def test_rows_larger_than_a_blob_get_one_each(store, cells):
    rows = (
        np.arange(3 * BLOB_BYTES * 2, dtype=np.uint32).view(np.uint8)[: 3 * (BLOB_BYTES + 8)].reshape(3, -1)
    )
    store.commit(Batch(b"", appends=(Append(1, 0, rows, np.zeros(3)),)))
    assert (store.rows(1, numbers(0, 1, 2))[0] == rows).all()


def test_gaps_between_appends_are_no_rows(store, batch_of, cells):
    store.commit(batch_of(0, 5))
    store.commit(batch_of(50, 5))
    rows, found = store.rows(1, np.arange(60, dtype=np.uint64))
    assert found.nonzero()[0].tolist() == [*range(5), *range(50, 55)]
    assert (rows[50:55] == cells(50, 5)).all()
    assert np.concatenate([h.numbers for h in store.scan(1)]).tolist() == [*range(5), *range(50, 55)]


@pytest.mark.parametrize(
    ("append", "words"),
    [
        (lambda c: Append(1, 9, c(0, 2), np.zeros(2)), "log 1: expected a first row from 10, got 9"),
        (lambda c: Append(1, 10, c(0, 2, 24), np.zeros(2)), "log 1: expected rows of 16 bytes, got 24"),
        (lambda c: Append(1, 10, c(0, 2), np.zeros(3)), "log 1: expected 2 finite times"),
        (lambda c: Append(1, 10, c(0, 1), np.array([np.nan])), "log 1: expected 1 finite times"),
        (lambda c: Append(1, 1 << 48, c(0, 1), np.zeros(1)), f"expected a first row from 10, got {1 << 48}"),
        (lambda c: Append(40_000, 0, c(0, 1), np.zeros(1)), "expected a number from 0 to 32767, got 40000"),
    ],
)
def test_rows_that_do_not_fit_are_refused_and_nothing_is_kept(store, batch_of, cells, append, words):
    store.commit(batch_of(0, 10))
    with pytest.raises(ValueError, match=words):
        store.commit(Batch(b"", appends=(append(cells),)))
    assert store.sequence == 1
    assert store.end(1) == 10


def test_expired_blobs_are_shown_then_dropped_with_the_batch_that_acts_on_them(store, batch_of, cells):
    for hour in range(5):
        store.commit(batch_of(hour * 10, 10, time=hour * 3600.0))
    shown = store.oldest(1, 2 * 3600.0, 10)
    assert [(h.first, h.span) for h in shown] == [(0, 10), (10, 10)]
    assert (shown[1].rows == cells(10, 10)).all()
    assert shown[1].numbers.tolist() == list(range(10, 20))
    assert store.rows(1, numbers(0))[1].all()  # showing takes nothing away
    assert len(store.oldest(1, 2 * 3600.0, 1)) == 1
    store.commit(Batch(b"implied", drops=tuple((1, h.first) for h in shown)))
    assert store.rows(1, np.arange(50, dtype=np.uint64))[1].tolist() == [False] * 20 + [True] * 30
    assert store.row_bytes(1) == 30 * 16
    assert store.oldest(1, 2 * 3600.0, 10) == ()


def test_dropping_what_is_gone_is_passed_over(store, batch_of):
    store.commit(batch_of(0, 10))
    store.commit(Batch(b"", drops=((1, 0), (1, 0), (1, 5), (8, 0))))
    store.commit(Batch(b"", drops=((1, 0),)))
    assert store.row_bytes(1) == 0
    assert store.end(1) == 10
    store.commit(batch_of(10, 1))
    assert store.rows(1, numbers(9, 10))[1].tolist() == [False, True]


def test_rows_appended_in_the_batch_that_drops_the_newest_blob_do_not_revive_it(store, batch_of):
    store.commit(batch_of(0, 10))
    store.commit(batch_of(10, 5, drops=((1, 0),)))
    assert store.rows(1, np.arange(15, dtype=np.uint64))[1].tolist() == [False] * 10 + [True] * 5


def test_thinning_keeps_the_numbers_of_what_it_keeps(store, batch_of, cells, make):
    store.commit(batch_of(0, 5000))
    keep = lambda rows: rows[:, 0] % 4 == 0  # noqa: E731
    gone, start = [], 0
    while start is not None:
        step = store.thin(1, keep, 3, start)
        assert not keep(step.rows).any()
        gone += step.numbers.tolist()
        start = step.next_row
    expected = np.array([n % 256 % 4 == 0 for n in range(5000)])
    assert gone == (~expected).nonzero()[0].tolist()
    for opened in (store, None):
        if opened is None:  # the same again from the file
            store.close()
            store.open()
        rows, found = store.rows(1, np.arange(5000, dtype=np.uint64))
        assert (found == expected).all()
        assert (rows[found] == cells(0, 5000)[expected]).all()
        assert store.row_bytes(1) == expected.sum() * 16
        assert np.concatenate([h.numbers for h in store.scan(1)]).tolist() == expected.nonzero()[0].tolist()
    again = store.thin(1, keep, 1000)
    assert (len(again.numbers), again.next_row) == (0, None)


def test_thinning_away_a_whole_blob_drops_it(store, batch_of):
    store.commit(batch_of(0, 1000))
    assert len(store.thin(1, lambda rows: np.zeros(len(rows), bool), 1).numbers) == 500
    assert len(store.expired(1, 1e9)) == 1
    with pytest.raises(ValueError, match=r"thin: expected one of the logs \(1,\), got 2"):
        store.thin(2, lambda rows: rows[:, 0] > 0, 1)


def test_a_thinned_blob_is_not_appended_to(store, batch_of, cells):
    store.commit(batch_of(0, 10))
    store.thin(1, lambda rows: rows[:, 0] % 2 == 0, 1)
    store.commit(batch_of(10, 10))
    found = store.rows(1, np.arange(20, dtype=np.uint64))[1]
    assert found.nonzero()[0].tolist() == [0, 2, 4, 6, 8, *range(10, 20)]


def test_a_log_that_nobody_needs_goes_in_bounded_steps(store, batch_of):
    for hour in range(7):
        store.commit(batch_of(hour * 10, 10, time=hour * 3600.0))
    assert [store.drop_log(1, limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert store.logs() == ()
    store.commit(batch_of(0, 3, itemsize=40))  # its number may serve rows of another size
    assert store.rows(1, numbers(2))[0].shape == (1, 40)


def test_scanning_a_large_log_gives_every_row_once_in_order(store, cells):
    rows = np.random.default_rng(0).integers(0, 256, (40_000, 64), dtype=np.uint8)
    for first in range(0, 40_000, 1000):
        store.commit(Batch(b"", appends=(Append(1, first, rows[first : first + 1000], np.zeros(1000)),)))
    held = list(store.scan(1))
    assert len(held) > 1
    assert (np.concatenate([h.numbers for h in held]) == np.arange(40_000)).all()
    assert (np.concatenate([h.rows for h in held]) == rows).all()
    assert [h.first for h in held[1:]] == [h.first + h.span for h in held[:-1]]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 700), st.integers(0, 3)),
        st.tuples(st.just("drop"), st.integers(0, 20), st.just(0)),
        st.tuples(st.just("thin"), st.integers(2, 5), st.integers(1, 4)),
        st.tuples(st.just("reopen"), st.just(0), st.just(0)),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_rows_equal_what_was_appended_whatever_happened_since(steps, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("rows") / "data", Durability.NORMAL)
    store.open()
    held, end, clock = {}, 0, 0.0
    rng = np.random.default_rng(len(steps))
    for step, first, second in steps:
        if step == "append":
            clock += 25 * second
            end += second
            rows = rng.integers(0, 256, (first, 32), dtype=np.uint8)
            store.commit(Batch(b"", appends=(Append(3, end, rows, np.full(first, clock)),)))
            held.update({end + i: rows[i].tobytes() for i in range(first)})
            end += first
        elif step == "drop":
            shown = store.oldest(3, clock, first)
            store.commit(Batch(b"", drops=tuple((3, h.first) for h in shown)))
            for h in shown:
                assert {int(n): r.tobytes() for n, r in zip(h.numbers, h.rows, strict=True)} == {
                    n: r for n, r in held.items() if h.first <= n < h.first + h.span
                }
                held = {n: r for n, r in held.items() if n not in range(h.first, h.first + h.span)}
        elif step == "thin" and held:
            store.thin(3, lambda rows, by=first: rows[:, 0] % by != 0, 1000, 0)
            held = {n: r for n, r in held.items() if r[0] % first != 0}
        elif step == "reopen":
            store.reopen()
    wanted = rng.permutation(np.arange(end + 3)).astype(np.uint64)
    rows, found = store.rows(3, wanted)
    assert {int(n): r.tobytes() for n, r in zip(wanted[found], rows[found], strict=True)} == held
    assert store.row_bytes(3) == 32 * len(held)
    scanned = {int(n): r.tobytes() for h in store.scan(3) for n, r in zip(h.numbers, h.rows, strict=True)}
    assert scanned == held
    store.close()
