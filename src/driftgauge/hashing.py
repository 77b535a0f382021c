"""Keyed 128-bit hashes of ids: what stands for an id wherever records wait for each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b, shake_256
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]

KEY_BYTES: Final = 32
# Keys of stores that were begun when ids were hashed one by one.
BLAKE2B_KEY_BYTES: Final = 16
AT_ONCE: Final = 4096  # ids: what they are padded to stays at a MiB for ids of 256 bytes
_FUNCTIONS: Final = 4  # of 32 bits each
_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(33)
_MIX: Final = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))


def id_hashes(ids: Sequence[str], key: bytes) -> Words:
    """Keyed hashes of *ids*; without the *key* nobody can choose ids that collide.

    With a key of `KEY_BYTES` four functions of 32 bits, each strongly universal: the upper half of
    ``m + sum(m_i * s_i) mod 2**64`` over the id's length in bytes and its 32-bit words s_i, padded
    with zeros (MULTILINEAR of Lemire and Kaser, 2014, "Strongly universal string hashing is fast",
    theorem 1), the m drawn from SHAKE-256 of the key. A bijection (MurmurHash3's 64-bit finaliser)
    then spreads each pair of them, so that no sum of ids shows in a part of the hash. With a key of
    `BLAKE2B_KEY_BYTES` it is BLAKE2b with a digest of 16 bytes (RFC 7693): four times as dear, for
    the stores that were begun with it.

    Over UTF-8, little-endian; a lone surrogate hashes like any other code point.

    Args:
        key: the same for as long as its hashes are kept; of one of the two lengths.

    Returns:
        shape (len(ids), 2), the low word first; shape (0, 2) without ids.

    Raises:
        ValueError: the key has another length.

    Cost: about 0.1 us an id of 32 characters in lists of 1000. Collisions: two ids have one hash with
    a probability of 2**-128 (two of 1e9 ids: 1.5e-21), and as an answer tells nothing of a hash but
    whether it is there already, asking doesn't help to find them.
    """
    if len(key) == BLAKE2B_KEY_BYTES:
        return _blake2b(ids, key)
    if len(key) != KEY_BYTES:
        raise ValueError(f"id_hashes: expected a key of {KEY_BYTES} bytes, got {len(key)}")
    if len(ids) <= AT_ONCE:
        return _multilinear(ids, key)
    return np.concatenate([_multilinear(ids[at : at + AT_ONCE], key) for at in range(0, len(ids), AT_ONCE)])


def _blake2b(ids: Sequence[str], key: bytes) -> Words:
    keyed = blake2b(digest_size=16, key=key)
    digests = []
    for text in ids:
        digest = keyed.copy()  # half the cost of a new one, whose key is a block to hash
        digest.update(text.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64, copy=False).reshape(-1, 2)


def _multilinear(ids: Sequence[str], key: bytes) -> Words:
    if not ids:
        return np.zeros((0, 2), np.uint64)
    words, lengths = _padded(ids)
    factors = _factors(key, words.shape[1])
    sums: Words = words.astype(np.uint64) @ factors[2:]
    sums += factors[0] + lengths[:, None] * factors[1]
    upper = (sums[:, 0::2] & ~_LOW) | sums[:, 1::2] >> _HALF
    return _spread(upper)


def _padded(ids: Sequence[str]) -> tuple[NDArray[np.uint32], Words]:
    """The bytes of each id as words, shape (n, words), and how many bytes they are."""
    text = "".join(ids)
    if text.isascii():
        data, lengths = text.encode(), np.fromiter(map(len, ids), np.int64, len(ids))
    else:
        parts = [each.encode("utf-8", "surrogatepass") for each in ids]
        data, lengths = b"".join(parts), np.fromiter(map(len, parts), np.int64, len(ids))
    longest = int(lengths.max())
    width = -(-longest // 4)
    flat = np.frombuffer(data, np.uint8)
    if len(data) == 4 * width * len(ids):  # none is shorter, and none needs padding
        cells = flat.reshape(len(ids), 4 * width)
    else:
        cells = np.zeros((len(ids), 4 * width), np.uint8)
        cells[np.arange(4 * width) < lengths[:, None]] = flat
    return cells.view("<u4").reshape(len(ids), width), lengths.astype(np.uint64)


@lru_cache(maxsize=256)
def _factors(key: bytes, words: int) -> Words:
    """Shape (2 + words, functions): what is added, what the length and each word are multiplied by.

    A longer id's are those of a shorter one and more.
    """
    drawn = shake_256(b"driftgauge id " + key).digest(8 * _FUNCTIONS * (2 + words))
    return np.frombuffer(drawn, "<u8").astype(np.uint64, copy=False).reshape(-1, _FUNCTIONS)


def _spread(words: Words) -> Words:
    for factor in _MIX:
        words = (words ^ (words >> _SHIFT)) * factor
    return words ^ (words >> _SHIFT)
