"""What the trigger and the injector need of a node: ``python -m benchmarks.measured_services``.

Writes docs/measured-services.md, on which the charts' requests and limits stand. Both are the real commands:
the injector is asked over TLS about usual pods and then about the largest that it takes, several at a time; the
trigger is sent webhooks as large as a group of alerts gets, and starts what its policy says.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.machine import about
from benchmarks.server import Process, free_port

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "measured-services.md"
USUAL, LARGE, AT_ONCE = 2000, 24, 4
LARGE_BYTES = 3_000_000
DELIVERIES, ALERTS, MODELS = 400, 100, 10
SETTLE_SECONDS = 2.0


@dataclass(frozen=True)
class Measured:
    """One service.

    Attributes:
        idle_mib, most_mib: resident memory after its start, and the most that it had.
        rows: what else was measured, and its figure.
    """

    name: str
    idle_mib: float
    most_mib: float
    rows: tuple[tuple[str, str], ...]


@contextmanager
def started(name: str, port: int, folder: Path, *flags: str) -> Iterator[Process]:
    """`driftgauge NAME`, ready; its second start, for the first compiles what it imports."""
    command = [sys.executable, "-m", "driftgauge", name, *flags]
    for last in (False, True):
        process = Process(command, port, folder / f"{name}.log", folder / "pycache")
        try:
            process.wait("/readyz")
            time.sleep(SETTLE_SECONDS)
            if last:
                yield process
        finally:
            process.stop()


def cpu_ms(process: Process, count: int, work: Callable[[], None]) -> float:
    """CPU time of one of *count* pieces of *work*, milliseconds."""
    before = process.cpu_seconds()
    work()
    return 1000 * (process.cpu_seconds() - before) / count


# --- the injector -------------------------------------------------------------------------------------


def review(padding: int = 0) -> bytes:
    """A question about a pod of a ReplicaSet, as large as a usual one, and *padding* bytes of environment."""
    environment = [{"name": f"VARIABLE_{number}", "value": "v" * 40} for number in range(40)]
    environment += [{"name": "LARGE", "value": "v" * padding}] if padding else []
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "generateName": "churn-6c9f7d5b8-",
            "labels": {"app": "churn"},
            "annotations": {"driftgauge.io/inject": "true", "driftgauge.io/config": "churn"},
        },
        "spec": {"containers": [{"name": "model", "image": "example.com/churn:3", "env": environment}]},
    }
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    request = {"uid": "u", "kind": kind, "namespace": "models", "operation": "CREATE", "object": pod}
    return json.dumps(
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    ).encode()


def ask(port: int, context: ssl.SSLContext, body: bytes, count: int) -> None:
    """*count* questions on one connection."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=60, context=context)
    for _ in range(count):
        connection.request("POST", "/mutate", body, {"Content-Type": "application/json"})
        told = json.loads(connection.getresponse().read())
        if "patch" not in told["response"]:
            raise SystemExit(f"the injector gave no sidecar: {told}")
    connection.close()


def injector(folder: Path) -> Measured:
    """Usual pods one by one, then large ones, several at a time."""
    authority = trustme.CA()
    pair = authority.issue_cert("localhost")
    pair.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    pair.private_key_pem.write_to_path(folder / "tls.key")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    port, metrics = free_port(), free_port()
    flags = (f"--certificate={folder}/tls.crt", f"--key={folder}/tls.key", "--image=driftgauge:0")
    doors = (f"--listen=127.0.0.1:{port}", f"--metrics-listen=127.0.0.1:{metrics}", "--linger=0s")
    with started("injector", metrics, folder, *flags, *doors) as process:
        idle = process.resident_mib()
        usual = cpu_ms(process, USUAL, lambda: ask(port, context, review(), USUAL))
        after = process.resident_mib()

        def large() -> None:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                each = [LARGE // AT_ONCE] * AT_ONCE
                list(pool.map(lambda count: ask(port, context, review(LARGE_BYTES), count), each))

        dear = cpu_ms(process, LARGE, large)
        return Measured(
            "injector",
            idle,
            process.most_mib(),
            (
                (f"memory after {USUAL:,} usual pods ({len(review()) / 1000:.0f} kB)", f"{after:.0f} MiB"),
                ("CPU time of a usual pod", f"{usual:.1f} ms"),
                (f"CPU time of a pod of {LARGE_BYTES / 1e6:.0f} MB, {AT_ONCE} at once", f"{dear:.0f} ms"),
            ),
        )


# --- the trigger --------------------------------------------------------------------------------------


def delivery(number: int) -> bytes:
    """A webhook of Alertmanager's with a full group of alerts."""
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    alerts = [
        {
            "status": "firing",
            "labels": {
                "alertname": "ModelDrift",
                "model": f"model-{place % MODELS}",
                "feature": f"feature-{place}",
                "severity": "warning",
                "pod": f"pod-{number}",
            },
            "annotations": {"summary": "s" * 100, "description": "d" * 300},
            "startsAt": began,
            "fingerprint": f"{number:08x}{place:08x}",
        }
        for place in range(ALERTS)
    ]
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()


def send(port: int) -> None:
    """All deliveries on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(DELIVERIES):
        connection.request("POST", "/v1/alerts", delivery(number), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the trigger took no alerts: {told!r}")
    connection.close()


def trigger(folder: Path) -> Measured:
    """Ten models' alerts, each delivery others, until the memory of alerts is full."""
    port = free_port()
    policy = {"alerts": ["ModelDrift"], "matured_labels": 0, "command": {"arguments": ["true"]}}
    settings = {"directory": str(folder / "decisions"), "policies": {"retrain": policy}}
    (folder / "trigger.yaml").write_text(json.dumps({"trigger": settings}))
    flags = (f"--config={folder}/trigger.yaml", f"--listen=127.0.0.1:{port}")
    with started("trigger", port, folder, *flags) as process:
        idle = process.resident_mib()
        spent = cpu_ms(process, DELIVERIES, lambda: send(port))
        kept = sum(file.stat().st_size for file in (folder / "decisions").iterdir()) / 2**20
        return Measured(
            "trigger",
            idle,
            process.most_mib(),
            (
                (f"CPU time of a delivery of {ALERTS} alerts", f"{spent:.1f} ms"),
                (f"on disk after {DELIVERIES * ALERTS:,} alerts of {MODELS} models", f"{kept:.0f} MiB"),
            ),
        )


# --- the document -------------------------------------------------------------------------------------


def document(found: tuple[Measured, ...]) -> str:
    """The whole page."""
    lines = [
        "# The trigger and the injector, measured",
        "",
        "Made by `python -m benchmarks.measured_services`; not edited by hand.",
    ]
    for service in found:
        lines += ["", f"| `driftgauge {service.name}` | |", "| --- | --- |"]
        lines += [f"| memory, idle | {service.idle_mib:.0f} MiB |"]
        lines += [f"| {what} | {figure} |" for what, figure in service.rows]
        lines += [f"| the most memory that it had | {service.most_mib:.0f} MiB |"]
    machine = about("")
    lines += ["", f"Measured on {machine['processor']}, load before {machine['load before']}; CPU time is"]
    lines[-1] += " dearer on a busy machine, memory is not. The charts ask for the memory of an idle process"
    lines[-1] += " and more, and allow twice the most and more."
    return "\n".join((*lines, ""))


def main() -> None:
    """Write the document; about a minute."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        DOCUMENT.write_text(document((injector(folder), trigger(folder))), encoding="utf-8")


if __name__ == "__main__":
    main()
