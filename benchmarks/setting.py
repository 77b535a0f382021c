"""A configuration and a reference in a directory: the same for every row but for what it varies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from benchmarks.typical import MODEL, TYPICAL, Shape, columns

REFERENCE_RECORDS = 20_000

_TEXT = """\
models:
  {model}:
    task: binary
    reference: {reference}
    windows: [{windows}]
    segments: [plan]
intake: {{listen: "127.0.0.1:{port}"}}
observation: {{listen: "127.0.0.1:{metrics_port}"}}
store: {{directory: {data}, durability: normal}}
limits: {{series: {series}}}
evaluate: {evaluate}
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What one server of the benchmark is started with."""

    directory: Path
    port: int
    metrics_port: int
    shape: Shape = TYPICAL
    windows: str = "1h, 1d, 7d"
    series: int = 10_000
    evaluate: str = "15s"

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    @property
    def file(self) -> Path:
        """The configuration, written by `write`."""
        return self.directory / "config.yaml"

    def write(self, references: Path) -> Path:
        """Write the configuration; its reference is kept in *references* for the next one."""
        self.directory.mkdir(parents=True, exist_ok=True)
        text = _TEXT.format(
            model=MODEL,
            reference=reference_file(references, self.shape),
            windows=self.windows,
            port=self.port,
            metrics_port=self.metrics_port,
            data=self.data,
            series=self.series,
            evaluate=self.evaluate,
        )
        self.file.write_text(text)
        return self.file


def reference_file(directory: Path, shape: Shape) -> Path:
    """A reference of records of *shape*; made when it isn't there."""
    path = directory / f"reference-{shape.numeric}-{shape.categorical}.json"
    if not path.exists():
        path.write_bytes(_reference(shape))
    return path


def _reference(shape: Shape) -> bytes:
    import numpy as np

    from driftgauge import reference
    from driftgauge.sketches.learning import Learning

    found = columns(shape, REFERENCE_RECORDS if shape.numeric < 100 else REFERENCE_RECORDS // 10, seed=0)
    row = Learning(shape.numeric + shape.categorical + 2).row(
        (*(f"f:{name}" for name in shape.numeric_names), "o:score"),
        np.vstack([found.numeric, found.score]),
        {f"f:{n}": c for n, c in zip(shape.categorical_names, found.categorical, strict=True)}
        | {"o:prediction": [str(label) for label in found.label]},
        len(found),
        {},
    )
    return reference.to_json(
        reference.build({0: row}, first=math.nan, last=math.nan, declared={}, category_limit=50)
    )
