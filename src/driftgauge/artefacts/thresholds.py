"""The limits that alerts stand on and that panels draw: each stands here, once.

What belongs to a verdict (its floors, its least samples) is decided in `stats` and `evaluate`; the
numbers here are those that only rules and dashboards know.
"""

from __future__ import annotations

from typing import Final

from driftgauge.config import DAY, HOUR, MIB, MINUTE

# A drift score that is shown as a shift, and as a large one: the usual reading of PSI.
PSI_MOVED: Final = 0.1
PSI_MOVED_FAR: Final = 0.25

# What a window must have before anything is concluded from it.
LEAST_SAMPLES: Final = 200
LEAST_WINDOW_COVERED: Final = 0.8

# Quality that no model should have: chance for a ranking, the outcomes' mean for a regression.
ROC_AUC_NEAR_CHANCE: Final = 0.55
R2_OF_THE_MEAN: Final = 0.0

# Outcomes: the share of a matured window's that is known, and of those that find no prediction.
LEAST_OUTCOME_COVERAGE: Final = 0.5
MOST_ORPHANS: Final = 0.5

# Traffic.
SILENT_PREDICTIONS_SECONDS: Final = HOUR
SILENT_OUTCOMES_SECONDS: Final = 2 * DAY

# The sidecar itself.
STALE_EVALUATION_SECONDS: Final = 5 * MINUTE
MOST_REJECTED: Final = 0.01
MOST_LOG_BYTES: Final = 128 * MIB
LONG_SCRAPE_SECONDS: Final = 5.0
LEAST_CERTIFICATE_DAYS: Final = 14

# Where the process itself acts, as shares of its memory limit: caches shrink, then intake is shed.
MEMORY_SHRINKS: Final = 0.8
MEMORY_SHEDS: Final = 0.9

# Drift of many features at once, of those that can be judged.
MANY_DRIFTED_FEATURES: Final = 0.3
MOST_DRIFTED_FEATURES: Final = 0.5

# Broken data: the share of missing or unseen values above the reference's, of violations per prediction.
MOST_MISSING_BEYOND_REFERENCE: Final = 0.05
MOST_VIOLATIONS: Final = 0.01

# Quality against the reference's: by how much the better end of the interval is worse.
QUALITY_FELL: Final = 0.02
QUALITY_FELL_FAR: Final = 0.1
ESTIMATE_FELL: Final = 0.05
BASE_RATE_MOVED: Final = 0.25
LEAST_SEGMENT_SHARE: Final = 0.05

# What a model server promises over a month: predictions without an error, and within the time.
ERROR_OBJECTIVE: Final = 0.99
LATENCY_OBJECTIVE: Final = 0.99
LATENCY_OBJECTIVE_SECONDS: Final = 0.5
