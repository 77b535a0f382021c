"""Who knows of labels, versions and quality: the sidecar, or Prometheus."""

from driftgauge.trigger.sources.source import Observed, Source, Unknown

__all__ = ["Observed", "Source", "Unknown"]
