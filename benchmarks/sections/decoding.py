"""The cost of decoding alone: msgspec with a Struct generated for the records, nothing else."""

from __future__ import annotations

from time import process_time

import msgspec

from benchmarks.typical import IN_BODY, TYPICAL, Form, templates

ROUNDS = 6


def generated() -> type[msgspec.Struct]:
    """A Struct that fits the typical record and reads every field of it."""
    features = msgspec.defstruct(
        "Features",
        [
            *((name, float) for name in TYPICAL.numeric_names),
            *((name, str) for name in TYPICAL.categorical_names),
        ],
    )
    segments = msgspec.defstruct("Segments", [("plan", str)])
    return msgspec.defstruct(
        "Record",
        [
            ("prediction_id", str),
            ("timestamp", str),
            ("model", str),
            ("model_version", str),
            ("features", features),
            ("score", float),
            ("prediction", int),
            ("latency_seconds", float),
            ("segments", segments),
        ],
    )


class Bare:
    """Decodes the bodies that the server is sent."""

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder(generated())
        self._bodies = [each.stamped(1, 1.8e9) for each in templates(Form.NDJSON)]

    def microseconds(self) -> float:
        """CPU time a record, in this process."""
        began = process_time()
        for _ in range(ROUNDS):
            for body in self._bodies:
                self._decoder.decode_lines(body)
        return (process_time() - began) / (ROUNDS * len(self._bodies) * IN_BODY) * 1e6
