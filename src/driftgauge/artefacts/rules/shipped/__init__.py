"""The shipped rules: they hold for any model, with no configuration."""

from __future__ import annotations

from collections.abc import Sequence

from driftgauge.artefacts.rules.durations import TimeScale
from driftgauge.artefacts.rules.shipped.chain import chain_groups
from driftgauge.artefacts.rules.shipped.fleet import fleet_group
from driftgauge.artefacts.rules.shipped.pods import pods_group
from driftgauge.artefacts.rules.values import RuleFile
from driftgauge.config import DAY, HOUR

WINDOWS = (HOUR, DAY, 7 * DAY)


def shipped_rules(scale: TimeScale | None = None, windows: Sequence[float] = WINDOWS) -> RuleFile:
    """All groups, in the order in which each needs what those before it record.

    Args:
        scale: real time where None.
        windows: seconds of the chain's windows.
    """
    scale = scale or TimeScale()
    chained = scale.chain_windows(windows)
    return RuleFile((*chain_groups(scale, chained), fleet_group(scale), pods_group(scale)))
