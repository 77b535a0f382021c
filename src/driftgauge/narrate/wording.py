"""How sentences name many things at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

NAMED_AT_MOST: Final = 4


def listed(names: Sequence[str]) -> str:
    """``a, b``; of more than `NAMED_AT_MOST` the first ones, and how many more there are."""
    shown = ", ".join(names[:NAMED_AT_MOST])
    return shown if len(names) <= NAMED_AT_MOST else f"{shown} and {len(names) - NAMED_AT_MOST} more"
