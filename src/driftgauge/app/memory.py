"""How much memory the process may take, and does."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHED_SHARE: Final = 0.9
SHRINK_SHARE: Final = 0.8
# What decoding a body takes for a while, in bytes for each of its own: measured 4.5 on NDJSON of 150
# bytes a record, the body not included.
DECODING_FACTOR: Final = 4
_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
# cgroup v1 writes "no limit" as a number near 2**63.
_UNLIMITED: Final = 1 << 60


def limit_bytes(override: int | None = None) -> int | None:
    """The cgroup's memory limit; None where there is none. *override* wins."""
    if override is not None:
        return override
    for path in _LIMITS:
        try:
            text = path.read_text().strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < _UNLIMITED:
            return int(text)
    return None


def resident_bytes() -> int:
    """Resident memory of this process; 0 where there is no /proc."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
    except OSError:
        return 0
    return int(pages) * 4096
