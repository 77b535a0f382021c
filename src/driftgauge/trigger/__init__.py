"""`driftgauge trigger`: alerts in, at most one guarded retraining run a decision out.

A delivery of Alertmanager is committed before it is acknowledged; what is decided and started comes
after. `policy` decides, pure; `store` remembers; `actions` start runs; `sources` are asked for labels,
versions and quality; `worker` leads a decision from one to the next; `service` is the process.
"""

from driftgauge.trigger.service import run

__all__ = ["run"]
