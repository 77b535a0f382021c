"""`driftgauge injector`: pods that ask for it by annotation get the sidecar when they are created.

The API server asks before it stores a pod. Whatever happens here, the pod is allowed: `annotations` reads
what it asks for, `suitability` says what forbids it, `judging` makes the patch of both, `review` is the form
of question and answer, `certificate` what TLS shows; `service` is the process.
"""

from driftgauge.injector.service import run
from driftgauge.injector.settings import Settings

__all__ = ["Settings", "run"]
