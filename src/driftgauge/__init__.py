"""driftgauge: a sidecar that tells Prometheus how far a model has moved."""

__version__ = "0.1.0"
