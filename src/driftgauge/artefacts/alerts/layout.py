"""How expressions are laid out: a bracket a line, what is dropped of the pods."""

from __future__ import annotations

import textwrap

from driftgauge.artefacts.alerts.reading import Reading
from driftgauge.artefacts.rules import POD_LABELS
from driftgauge.config_alerts import Versions


def bracketed(text: str) -> str:
    """*text* in brackets, on lines of its own."""
    return f"(\n{textwrap.indent(text, '  ')}\n)"


def without(reading: Reading) -> str:
    """The clause that makes the pods one, and the versions where they are judged together."""
    version = ("model_version",) if reading.entry.when.versions is Versions.TOGETHER else ()
    return f"without ({', '.join((*POD_LABELS, *version))})"
