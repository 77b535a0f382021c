"""Pure statistics: arrays in, numbers out.

Needs numpy, and ``scipy.special`` inside the functions that say so; knows no
feature, time, HTTP, SQL or Prometheus, and imports nothing else of driftgauge.

Common rules. The last axis is bins (or classes), every leading axis is one
more independent case, and leading axes broadcast. Where too few data leave a
value undefined, that element is NaN and the docstring says when; no function
emits a numpy warning. Counts that are negative or not finite, and shapes that
do not fit, raise ``ValueError``.
"""

from driftgauge.stats.arrays import Bins, Counts, Values

__all__ = ["Bins", "Counts", "Values"]
