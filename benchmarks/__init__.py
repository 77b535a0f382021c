"""The benchmark: what driftgauge costs, beside what it should cost. ``python -m benchmarks --help``."""

import os

# Before numpy is imported: the server pins its threads too.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
