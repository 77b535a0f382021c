"""`alerts` of a configuration as rules, as promtool's tests of them, and as sentences."""

from driftgauge.artefacts.alerts.compiling import compiled
from driftgauge.artefacts.alerts.testing import test_files
from driftgauge.artefacts.alerts.wording import LINKS, sentences

__all__ = ["LINKS", "compiled", "sentences", "test_files"]
