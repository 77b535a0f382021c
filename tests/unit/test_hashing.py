"""Hashes of ids against BLAKE2b and against the formula in Python's integers."""

from hashlib import blake2b, shake_256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.hashing import AT_ONCE, id_hashes

KEY = bytes(range(32))
OLD_KEY = b"a secret of old."


def of(text, key=KEY):
    """The hash by the definition, one id at a time."""
    data = text.encode("utf-8", "surrogatepass")
    words = [len(data)]
    words += [int.from_bytes(data[at : at + 4].ljust(4, b"\0"), "little") for at in range(0, len(data), 4)]
    drawn = shake_256(b"driftgauge id " + key).digest(32 * (1 + len(words)))
    upper = []
    for function in range(4):
        m = [int.from_bytes(drawn[at : at + 8], "little") for at in range(8 * function, len(drawn), 32)]
        total = m[0] + sum(factor * word for factor, word in zip(m[1:], words, strict=True))
        upper.append(total % 2**64 >> 32)
    return spread(upper[0] << 32 | upper[1]), spread(upper[2] << 32 | upper[3])


def spread(word):
    """MurmurHash3's fmix64."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        word = (word ^ word >> 33) * factor % 2**64
    return word ^ word >> 33


def pairs(hashes):
    return [(int(low), int(high)) for low, high in hashes]


TEXTS = st.lists(st.one_of(st.text(max_size=20), st.characters(codec=None)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_hashes_are_those_of_the_formula(ids):
    assert pairs(id_hashes(ids, KEY)) == [of(each) for each in ids]


@pytest.mark.parametrize(
    "ids",
    [
        ["0123456789abcdef"] * 3,
        [f"{n:032x}" for n in range(50)],
        ["", "a", "abcd", "abcde", "x" * 256],
        ["", ""],
        ["naïve ☃", "\ud800", "\U0010ffff"],
        ["abc", "abc\0", "abc\0\0"],
    ],
)
def test_hashes_do_not_depend_on_the_ids_beside(ids):
    assert pairs(id_hashes(ids, KEY)) == [of(each) for each in ids]


def test_long_lists_are_hashed_in_pieces():
    ids = [str(n) for n in range(AT_ONCE + 3)]
    hashes = id_hashes(ids, KEY)
    assert hashes.shape == (AT_ONCE + 3, 2)
    for n in (0, AT_ONCE - 1, AT_ONCE, AT_ONCE + 2):
        assert pairs(hashes[[n]]) == [of(ids[n])]


def test_without_ids_there_are_no_hashes():
    assert id_hashes([], KEY).shape == id_hashes([], OLD_KEY).shape == (0, 2)


def test_another_key_gives_other_hashes():
    assert (id_hashes(["a"], KEY) != id_hashes(["a"], bytes(32))).all()
    assert (id_hashes(["a"], OLD_KEY) != id_hashes(["a"], bytes(16))).all()


def test_padding_and_length_tell_ids_apart():
    ids = ["a" * n for n in range(70)] + ["a" + "\0" * n for n in range(1, 70)]
    assert len(set(pairs(id_hashes(ids, KEY)))) == len(ids)


def test_parts_of_the_hashes_of_numbered_ids_are_spread_evenly():
    # What addresses a bucket, what a sample is drawn by, and the other ends of both words. 64 cells of
    # 1,000: chi-square of 63 degrees is below 120 but for 2 in 100,000.
    ids = [f"request-{n:08d}" for n in range(64_000)]
    for key in (KEY, bytes(32), b"\xff" * 32):
        hashes = id_hashes(ids, key)
        for word in hashes.T:
            for shift in (0, 26, 32, 58):
                cells = np.bincount(((word >> np.uint64(shift)) & np.uint64(63)).astype(int), minlength=64)
                assert ((cells - 1000.0) ** 2 / 1000).sum() < 120


def test_keys_of_old_give_blake2b_of_the_utf8_low_word_first():
    ids = ["a", "", "naïve ☃", "x" * 1000]
    expected = [blake2b(i.encode(), digest_size=16, key=OLD_KEY).digest() for i in ids]
    got = id_hashes(ids, OLD_KEY)
    assert got.shape == (4, 2)
    assert [int(lo).to_bytes(8, "little") + int(hi).to_bytes(8, "little") for lo, hi in got] == expected
    assert len(np.unique(id_hashes(["\ud800", "\ud801"], OLD_KEY))) == 4


def test_a_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"^id_hashes: expected a key of 32 bytes, got 5$"):
        id_hashes(["a"], b"short")
