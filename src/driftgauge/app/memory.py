"""How much memory the process may take, and does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from driftgauge.config import Bytes, Intake

SHED_SHARE: Final = 0.9
SHRINK_SHARE: Final = 0.8
# What decoding a body takes for a while, in bytes for each of its own: measured 4.5 on NDJSON of 150
# bytes a record, the body not included.
DECODING_FACTOR: Final = 4
# The part of the memory limit that one body may be.
BODY_PART: Final = 128
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


def fitted(intake: Intake, limit: int | None) -> Intake:
    """*intake* with bodies and queue that a memory *limit* has room for; as it is without one.

    Two bodies may be decoded and eight arrive while the process itself takes half of a small limit:
    measured at 128 MiB, where 1 MiB a body peaks at 103 MiB and the default of 8 at 174.
    """
    if limit is None:
        return intake
    return replace(
        intake,
        max_body=Bytes(min(intake.max_body, limit // BODY_PART)),
        max_inflated=Bytes(min(intake.max_inflated, 2 * limit // BODY_PART)),
        queue=Bytes(min(intake.queue, 4 * limit // BODY_PART)),
    )


def resident_bytes() -> int:
    """Resident memory of this process; 0 where there is no /proc."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
    except OSError:
        return 0
    return int(pages) * 4096
