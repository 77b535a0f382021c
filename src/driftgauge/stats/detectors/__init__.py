"""Change detectors on a stream of errors: batches of values in, places of detections out.

Every one reads its values in order, and begins anew after each detection, which is how River's
detectors behave and how their published detections were made. All assume independent values: on
autocorrelated ones they fire far too often. Values are 0 and 1 (1 = wrong), or errors in [0, 1].

| detector | answers to | warns | values | cost a value, at most |
| --- | --- | --- | --- | --- |
| `Adwin` | any change of the mean | no | any | 1 us |
| `PageHinkley` | a lasting rise or fall of the mean | no | any | 0.5 us |
| `DDM` | a rise of the error rate | yes | 0 to 1 | 1 us |
| `EDDM` | errors coming closer together | yes | 0 or 1 | 1 us |
| `KSWIN` | any change of the distribution | no | any | 8 us |
| `HDDMA` | a rise of the mean | yes | 0 to 1 | 2 us |
| `HDDMW` | a rise of the weighted mean | yes | 0 to 1 | 2 us |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from driftgauge.stats.detectors.adwin import Adwin
from driftgauge.stats.detectors.ddm import DDM
from driftgauge.stats.detectors.detector import Detector, Found, State
from driftgauge.stats.detectors.eddm import EDDM
from driftgauge.stats.detectors.hddm_a import HDDMA
from driftgauge.stats.detectors.hddm_w import HDDMW
from driftgauge.stats.detectors.kswin import KSWIN
from driftgauge.stats.detectors.page_hinkley import PageHinkley

DETECTORS: Mapping[str, type[Detector]] = MappingProxyType(
    {
        "adwin": Adwin,
        "page_hinkley": PageHinkley,
        "ddm": DDM,
        "eddm": EDDM,
        "kswin": KSWIN,
        "hddm_a": HDDMA,
        "hddm_w": HDDMW,
    }
)
"""The detectors by the name that configuration and labels give them."""

__all__ = [
    "DDM",
    "DETECTORS",
    "EDDM",
    "HDDMA",
    "HDDMW",
    "KSWIN",
    "Adwin",
    "Detector",
    "Found",
    "PageHinkley",
    "State",
]
