"""The join index against a dict, with the numbers that make it hard chosen by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge import joins
from driftgauge.joins import EQUAL_PRINTS, SLOTS, JoinIndex

SPAN = 1 << 32


def hashes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 1 << 64, count, dtype=np.uint64)


def numbers(begin, end):
    return np.arange(begin, end, dtype=np.uint64)


def found(index, low):
    queries, rows = index.candidates(low)
    assert (np.diff(queries) >= 0).all()
    return list(zip(queries.tolist(), rows.tolist(), strict=True))


def words(values):
    return np.array(values, np.uint64)


def of_print(value, count=1):
    return np.full(count, value << 32, np.uint64)


def test_an_empty_index_finds_nothing_and_is_small():
    index = JoinIndex()
    assert found(index, hashes(10)) == []
    assert found(index, hashes(0)) == []
    assert len(index) == 0
    assert index.nbytes < 100 * 1024
    assert index._memory.words.nbytes < 100 * 1024


def test_every_row_is_found_while_the_table_grows_and_strangers_are_not():
    index, low = JoinIndex(), hashes(60_000)
    for begin in range(0, 60_000, 777):
        part = low[begin : begin + 777]
        index.add(part, numbers(begin, begin + len(part)))
        assert found(index, low[: begin + 777 : 97])[-1][1] == (begin + len(part) - 1) // 97 * 97
    got = found(index, low)
    assert {(i, i) for i in range(60_000)} <= set(got)
    assert len(got) < 60_012  # 60,000 queries, 60,000 prints of 32 bits: 0.8 strangers expected
    # 100,000 strangers against 60,000 prints of 32 bits: 1.4 equal prints expected
    assert len(found(index, hashes(100_000, seed=9))) < 12


def test_an_entry_takes_at_most_16_bytes_and_the_overflow_stays_a_thousandth():
    index, low = JoinIndex(), hashes(200_000)
    for begin in range(0, 200_000, 500):
        index.add(low[begin : begin + 500], numbers(begin, begin + 500))
        if begin > 20_000:
            assert index.overflowed <= len(index) / 1000
            assert index.nbytes <= 16 * len(index)
    # the reservation beyond what is used is address space, not memory
    assert index._memory.words.nbytes <= 1.3 * index.nbytes


def test_a_rolling_window_keeps_its_memory():
    index, low, window = JoinIndex(), hashes(400_000), 40_000
    for begin in range(0, 400_000, 1000):
        index.add(low[begin : begin + 1000], numbers(begin, begin + 1000))
        index.forget(begin + 1000 - window)
        if begin > 2 * window:
            assert index.nbytes <= 16 * window
    assert found(index, low[-window:])[0] == (0, 400_000 - window)
    # 360,000 forgotten against 40,000 prints: 3.4 equal prints expected, all of rows that are held
    strangers = [row for _, row in found(index, low[: 400_000 - window])]
    assert len(strangers) < 20
    assert all(row >= 400_000 - window for row in strangers)


def test_forgotten_rows_are_never_returned_and_their_slots_come_back():
    index, low = JoinIndex(), hashes(3000)
    index.add(low[:2000], numbers(0, 2000))
    index.forget(1500)
    assert found(index, low[:2000]) == [(i, i) for i in range(1500, 2000)]
    index.add(low[2000:], numbers(2000, 3000))
    index.add(low[:1000], numbers(3000, 4000))
    assert len(index) <= 2500  # 1500 forgotten were swept
    assert found(index, low[:1]) == [(0, 3000)]


def test_forgetting_is_never_undone_by_a_smaller_number():
    index = JoinIndex()
    index.add(hashes(10), numbers(0, 10))
    index.forget(5)
    index.forget(3)
    assert [row for _, row in found(index, hashes(10))] == [5, 6, 7, 8, 9]


def test_forgetting_everything_gives_the_memory_back():
    index = JoinIndex()
    index.add(hashes(50_000), numbers(0, 50_000))
    index.forget(50_000)
    assert len(index) == 0
    assert index.nbytes < 100 * 1024
    index.add(hashes(1), numbers(50_000, 50_001))
    assert found(index, hashes(1)) == [(0, 50_000)]


def test_the_table_shrinks_when_few_rows_are_left():
    index, low = JoinIndex(), hashes(100_000)
    index.add(low, numbers(0, 100_000))
    full = index.nbytes
    index.forget(99_000)
    for step in range(500):
        row = 100_000 + step * 100
        index.add(low[step * 100 :][:100], numbers(row, row + 100))
        index.forget(row - 1000)
    assert index.nbytes < full / 10
    assert index._memory.words.nbytes < full / 4
    assert [r for _, r in found(index, low[49_000:50_000])] == list(range(149_000, 150_000))


def test_a_grown_table_that_the_kernel_cannot_extend_in_place_is_copied():
    memory = joins._Memory(16)
    memory.words[:] = 7
    view = memoryview(memory._map)  # an export: the mapping may not move now
    memory.reserve(64)
    assert memory.words[:16].tolist() == [7] * 16
    assert not memory.words[16:].any()
    view.release()


def test_thousands_of_equal_prints_are_bounded_and_counted():
    index = JoinIndex()
    index.add(of_print(77, 5000), numbers(0, 5000))
    index.add(of_print(77, 5000), numbers(5000, 10_000))
    rows = [row for _, row in found(index, of_print(77))]
    assert len(rows) == 2 * SLOTS + EQUAL_PRINTS == len(index)
    assert index.refused == 10_000 - len(rows)
    # the table itself stays usable, and a flood of questions gets a bounded answer
    low = hashes(2000)
    index.add(low, numbers(10_000, 12_000))
    assert found(index, low) == [(i, 10_000 + i) for i in range(2000)]
    assert len(found(index, of_print(77, 100))) == 100 * len(rows)


def test_room_among_equal_prints_comes_back_when_they_are_forgotten():
    index = JoinIndex()
    index.add(of_print(5, 100), numbers(0, 100))
    index.forget(100)
    index.add(of_print(5, 50), numbers(100, 150))
    assert [row for _, row in found(index, of_print(5))] == list(range(100, 150))
    index.forget(149)
    index.add(of_print(5, 50), numbers(150, 200))
    assert {149, *range(150, 200)} >= {row for _, row in found(index, of_print(5))}
    assert found(index, of_print(5))[0] == (0, 149)


def test_print_zero_is_a_print_like_any_other():
    index = JoinIndex()
    index.add(words([0, 1 << 32]), words([0, 1]))
    # 0 marks a free slot, so prints 0 and 1 are one: the caller compares the whole hash anyway
    assert found(index, words([0])) == [(0, 0), (0, 1)]


def test_queries_may_repeat_and_rows_rise_within_a_query():
    index = JoinIndex()
    index.add(of_print(3, 30), numbers(0, 30))
    assert found(index, of_print(3, 2)) == [(q, r) for q in range(2) for r in range(30)]


def test_rows_may_pass_two_to_the_32_many_times():
    index, low = JoinIndex(), hashes(4000)
    begin = SPAN - 1500
    for turn in range(5):
        base = begin + turn * (SPAN - 2000)
        index.add(low[:1000], numbers(base, base + 1000))
        index.forget(base)
        assert found(index, low[:1000]) == [(i, base + i) for i in range(1000)]
        assert len(index) < 4000
    assert index.forced == 0


def test_old_rows_do_not_return_as_new_ones_when_numbers_come_round():
    index, low = JoinIndex(), hashes(2000)
    index.add(low[:1000], numbers(0, 1000))
    index.forget(1000)
    index.add(low[1000:1001], words([1000]))
    index.forget(1001)
    index.add(low[1001:1002], words([SPAN - 1]))
    index.forget(SPAN - 1)
    index.add(low[1002:1003], words([SPAN + 999]))
    assert found(index, low[:1001]) == []
    assert found(index, low[1001:1003]) == [(0, SPAN - 1), (1, SPAN + 999)]


def test_rows_too_far_behind_the_newest_are_forgotten_and_counted():
    index, low = JoinIndex(), hashes(3)
    index.add(low[:1], words([7]))
    index.add(low[1:2], words([7 + SPAN]))
    assert found(index, low) == [(1, 7 + SPAN)]
    assert index.forced == 1
    index.add(low[2:], words([8 + SPAN]))
    assert found(index, low) == [(1, 7 + SPAN), (2, 8 + SPAN)]


def test_single_rows_can_be_discarded():
    index, low = JoinIndex(), hashes(5000)
    index.add(low, numbers(0, 5000))
    index.add(of_print(9, 40), numbers(5000, 5040))
    assert index.discard(low[::2], numbers(0, 5000)[::2]) == 2500
    assert index.discard(low[::2], numbers(0, 5000)[::2]) == 0
    assert index.discard(of_print(9, 40), numbers(5000, 5040)) == 40
    assert found(index, low) == [(i, i) for i in range(1, 5000, 2)]
    assert len(index) == 2500


def test_what_does_not_rise_is_refused():
    index = JoinIndex()
    index.add(hashes(2), words([4, 5]))
    with pytest.raises(ValueError, match="expected rising rows from 6, got 5 first"):
        index.add(hashes(1), words([5]))
    with pytest.raises(ValueError, match="expected rising rows from 6, got 7 first"):
        index.add(hashes(2), words([7, 7]))
    with pytest.raises(ValueError, match=r"expected two equal lengths, got \(2,\) and \(1,\)"):
        index.add(hashes(2), words([7]))


def test_two_indexes_fed_alike_are_alike():
    one, two = JoinIndex(), JoinIndex()
    for index in (one, two):
        index.add(hashes(9000), numbers(0, 9000))
        index.forget(4000)
        index.add(hashes(9000, 1), numbers(9000, 18_000))
    assert (one._table[: one._buckets] == two._table[: two._buckets]).all()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 3000), st.sampled_from([1, 1, 2, 50, SPAN // 7, SPAN // 2])),
        st.tuples(st.just("equal"), st.integers(1, 60), st.integers(0, 3)),
        st.tuples(st.just("forget"), st.floats(0, 1), st.just(0)),
        st.tuples(st.just("discard"), st.integers(1, 200), st.just(0)),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, seed=st.integers(0, 1 << 30))
def test_the_index_answers_as_a_dict_would(steps, seed):
    index, held, row = JoinIndex(), {}, 0
    rng = np.random.default_rng(seed)
    for step, first, second in steps:
        if step in ("add", "equal"):
            low = rng.integers(0, 1 << 64, first, dtype=np.uint64)
            if step == "equal":
                low = of_print(second + 1, first)
            leap = second if step == "add" else 1
            row += leap
            rows = words([row + i for i in range(first)])
            refused = index.refused
            index.add(low, rows)
            row += first
            held.update(zip(rows.tolist(), low.tolist(), strict=True))
            held = {r: h for r, h in held.items() if r > row - SPAN and r >= index._watermark}
            if index.refused > refused:  # equal prints beyond the bound: gone, whichever they were
                kept = {r for _, r in found(index, words(list(held.values())))}
                assert len(held) - len(kept & held.keys()) <= index.refused - refused
                held = {r: h for r, h in held.items() if r in kept}
        elif step == "forget" and held:
            before = sorted(held)[int(first * (len(held) - 1))]
            index.forget(before)
            held = {r: h for r, h in held.items() if r >= before}
        elif step == "discard" and held:
            gone = sorted(held)[:: max(1, len(held) // first)]
            assert index.discard(words([held[r] for r in gone]), words(gone)) == len(gone)
            held = {r: h for r, h in held.items() if r not in set(gone)}
    check_against(index, held)


def check_against(index, held):
    rows, low = list(held), words(list(held.values()))
    got = set(found(index, low))
    assert {(i, r) for i, r in enumerate(rows)} <= got
    assert {r for _, r in got} <= held.keys()
    prints = {}
    for r, h in held.items():
        prints.setdefault(max(h >> 32, 1), set()).add(r)
    assert all(
        {r for q, r in got if q == i} == prints[max(held[rows[i]] >> 32, 1)] for i in range(0, len(rows), 501)
    )
    assert len(index) >= len(held)
    used = np.count_nonzero(index._table[: index._buckets], axis=1)
    assert (used == index._used[: index._buckets]).all()
    assert used.sum() == index._occupied


def test_an_index_that_expects_rows_splits_no_bucket_and_finds_them(monkeypatch):
    index, low = JoinIndex(), hashes(50_000)
    index.expect(50_000)
    buckets = index._buckets
    monkeypatch.setattr(JoinIndex, "_grow", None)
    for begin in range(0, 50_000, 9_000):
        index.add(low[begin : begin + 9_000], numbers(begin, min(begin + 9_000, 50_000)))
    index.expect(0)
    assert index._buckets == buckets
    assert index.nbytes < 14 * 50_000
    assert {(i, i) for i in range(50_000)} <= set(found(index, low))


def test_an_index_that_expected_more_than_came_shrinks_once_it_waits_no_longer():
    index, low = JoinIndex(), hashes(40_000)
    index.expect(200_000)
    for begin in range(0, 40_000, 500):
        if begin == 2_000:
            assert index._buckets > 35_000
            index.expect(0)
        index.add(low[begin : begin + 500], numbers(begin, begin + 500))
    assert index._buckets < 25_000
    index.expect(200_000)  # there are rows: it grows with them
    assert index._buckets < 25_000
    assert {(i, i) for i in range(40_000)} <= set(found(index, low))
