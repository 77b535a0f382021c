"""What a store is opened with: the key of its hashes."""

from dataclasses import replace

from driftgauge.app.restoring import KEY, open_kept
from driftgauge.config import Config, Store
from driftgauge.hashing import BLAKE2B_KEY_BYTES, KEY_BYTES


def opened(tmp_path):
    return open_kept(replace(Config(), store=Store(directory=tmp_path / "data")))


def test_a_store_is_begun_with_a_key_that_stays(tmp_path):
    first = opened(tmp_path)
    key = first.models.key
    first.store.close()
    again = opened(tmp_path)
    again.store.close()
    assert len(key) == KEY_BYTES
    assert again.models.key == key


def test_a_store_begun_with_a_key_of_old_keeps_it_for_its_hashes(tmp_path):
    first = opened(tmp_path)
    old = bytes(range(BLAKE2B_KEY_BYTES))
    first.store.checkpoint(first.store.sequence, (), {KEY: old})
    first.store.close()
    again = opened(tmp_path)
    again.store.close()
    assert again.models.key == old
