"""The sidecar itself: does it work, does it keep up, what does it refuse, what does it cost."""

from __future__ import annotations

from typing import Final

from driftgauge.artefacts import thresholds
from driftgauge.artefacts.dashboards import chosen, injecting
from driftgauge.artefacts.dashboards.board import (
    PLAIN,
    Dashboard,
    Kind,
    Panel,
    Query,
    Row,
    State,
    Steps,
    above,
    below,
)
from driftgauge.artefacts.dashboards.wording import meaning, unit

VARIABLES: Final = (chosen.JOB, chosen.NAMESPACE, chosen.INSTANCE)
_S: Final = chosen.scope(*VARIABLES)
_OF: Final = "{{instance}}"
_UP: Final = (State(0, "down", "red"), State(1, "up", "green"))
_WORKS: Final = below(1)
# Series that Prometheus adds to every scrape are ours where the target is.
_OURS: Final = f"and on (job, instance) {_S.of('build_info')}"
_MEMORY: Final = above(thresholds.MEMORY_SHRINKS, thresholds.MEMORY_SHEDS)


def dashboard() -> Dashboard:
    """`driftgauge-sidecar`."""
    return Dashboard(
        uid="driftgauge-sidecar",
        title="driftgauge / Sidecar",
        description="The sidecars themselves: parts, intake, store, evaluation, bounds and cost.",
        since="now-6h",
        variables=VARIABLES,
        annotations=(chosen.firing(_S), chosen.restarts(_S)),
        rows=(_health(), _intake(), _refused(), _store(), _evaluation(), _bounds(), _cost(), injecting.row()),
    )


def _trend(
    title: str, name: str, *queries: Query, of: str = "", steps: Steps = PLAIN, width: int = 8, text: str = ""
) -> Panel:
    """*queries* over time, described by the metric *name* and *text*."""
    return Panel(
        Kind.TREND, title, meaning(name, text), queries, of or unit(name), steps, least=0, width=width
    )


def _gauge(name: str, legend: str = _OF) -> Query:
    return Query(_S.total(name, "instance"), legend)


def _rate(name: str, *labels: str) -> Query:
    legend = " ".join((_OF, *(f"{{{{{label}}}}}" for label in labels)))
    return Query(_S.rate(name, "instance", *labels), legend)


def _rejected_ratio() -> str:
    """Share of the records that were not taken."""
    rejected = _S.rate("records_rejected_total", "instance")
    accepted = " + ".join(
        f"({_S.rate(name, 'instance')} or {rejected} * 0)" for name in ("predictions_total", "outcomes_total")
    )
    return f"{rejected} / ({rejected} + {accepted} > 0)"


def _memory_ratio() -> str:
    return f"{_S.total('process_resident_bytes', 'instance')} / {_S.total('memory_limit_bytes', 'instance')}"


def _health() -> Row:
    parts = Panel(
        Kind.STATES,
        "Parts",
        meaning("component_up"),
        (Query(_S.worst("min", "component_up", "instance", "component"), f"{_OF} {{{{component}}}}"),),
        steps=_WORKS,
        states=_UP,
        width=12,
        height=10,
    )
    table = Panel(
        Kind.TABLE,
        "Sidecars",
        "One line for each sidecar that is scraped: what runs, since when, whether all of it works.",
        (
            Query(_S.worst("max", "build_info", "instance", "version", "python", "sqlite"), "Scraped"),
            Query(_S.worst("min", "component_up", "instance"), "All parts up", states=_UP),
            Query(f"time() - {_S.worst('max', 'process_start_time_seconds', 'instance')}", "Up for", "s"),
            Query(_S.worst("min", "configuration_reload_success", "instance"), "Configuration", states=_UP),
            Query(_rejected_ratio(), "Rejected", "percentunit", above(thresholds.MOST_REJECTED)),
        ),
        labels=(("instance", "Instance"), ("version", "Version"), ("python", "Python"), ("sqlite", "SQLite")),
        width=12,
        height=10,
    )
    restored = Panel(
        Kind.TABLE,
        "State at start",
        meaning("store_restored"),
        (Query(f"{_S.worst('max', 'store_restored', 'instance', 'result')} == 1", "Found"),),
        labels=(("instance", "Instance"), ("result", "Result")),
        width=12,
        height=6,
    )
    reload = Panel(
        Kind.NUMBER,
        "Configuration loaded",
        meaning("configuration_reload_timestamp_seconds", "How long ago."),
        (Query(f"time() - {_S.worst('max', 'configuration_reload_timestamp_seconds', 'instance')}", _OF),),
        "s",
        width=12,
        height=6,
    )
    return Row("Does it work?", (table, parts, restored, reload))


def _intake() -> Row:
    return Row(
        "Does it keep up?",
        (
            _trend(
                "Records taken",
                "predictions_total",
                _rate("predictions_total"),
                _rate("outcomes_total"),
                of="cps",
            ),
            _trend(
                "Requests",
                "request_duration_seconds",
                Query(_S.observed("request_duration_seconds", "instance", "path"), f"{_OF} {{{{path}}}}"),
                of="reqps",
                text="Requests per second.",
            ),
            _trend(
                "Time to answer",
                "request_duration_seconds",
                Query(
                    _S.quantile("request_duration_seconds", 0.99, "instance", "path"), f"{_OF} {{{{path}}}}"
                ),
                text="99th percentile, between buckets.",
            ),
            _trend("Waiting for the writer", "queue_bytes", _gauge("queue_bytes")),
            _trend(
                "Time of a commit",
                "commit_seconds",
                Query(_S.quantile("commit_seconds", 0.99, "instance"), f"{_OF} p99"),
                Query(_S.quantile("commit_seconds", 0.5, "instance"), f"{_OF} median"),
                text="Between buckets.",
            ),
            _trend(
                "Commits", "commit_seconds", Query(_S.observed("commit_seconds", "instance"), _OF), of="cps"
            ),
        ),
    )


def _refused() -> Row:
    return Row(
        "What is not taken, or taken otherwise?",
        (
            _trend(
                "Share of records rejected",
                "records_rejected_total",
                Query(_rejected_ratio(), _OF),
                of="percentunit",
                steps=above(thresholds.MOST_REJECTED),
            ),
            _trend(
                "Records rejected by reason",
                "records_rejected_total",
                _rate("records_rejected_total", "door", "reason"),
                of="cps",
            ),
            _trend(
                "Requests rejected by reason",
                "requests_rejected_total",
                _rate("requests_rejected_total", "reason"),
                of="reqps",
            ),
            _trend(
                "Values not taken by reason",
                "values_invalid_total",
                _rate("values_invalid_total", "reason"),
                of="cps",
            ),
            _trend(
                "Schema broken",
                "schema_violations_total",
                _rate("schema_violations_total", "model", "violation"),
                of="cps",
            ),
            _trend("Duplicates", "duplicates_total", _rate("duplicates_total", "model", "kind"), of="cps"),
            _trend(
                "Predictions that came late",
                "predictions_late_total",
                _rate("predictions_late_total", "model"),
                of="cps",
            ),
            _trend(
                "Outcomes that contradict",
                "outcome_conflicts_total",
                _rate("outcome_conflicts_total", "model"),
                of="cps",
            ),
            _trend(
                "Outcomes that were revised",
                "outcome_revisions_total",
                _rate("outcome_revisions_total", "model"),
                of="cps",
            ),
            _trend(
                "Outcomes without a prediction",
                "outcomes_orphaned_total",
                _rate("outcomes_orphaned_total", "model"),
                of="cps",
            ),
        ),
    )


def _store() -> Row:
    return Row(
        "Is the store well?",
        (
            _trend("Database", "store_bytes", _gauge("store_bytes")),
            _trend("Database and log may take", "store_limit_bytes", _gauge("store_limit_bytes")),
            _trend(
                "Write-ahead log",
                "store_wal_bytes",
                _gauge("store_wal_bytes"),
                steps=above(thresholds.MOST_LOG_BYTES),
            ),
            _trend("Records kept for their other half", "store_pending_bytes", _gauge("store_pending_bytes")),
            _trend("Batches since the checkpoint", "store_batch_bytes", _gauge("store_batch_bytes")),
            _trend(
                "Time of a checkpoint",
                "checkpoint_seconds",
                Query(_S.quantile("checkpoint_seconds", 0.99, "instance"), f"{_OF} p99"),
                text="Between buckets.",
            ),
            _trend("Transactions that failed", "store_errors_total", _rate("store_errors_total"), of="cps"),
        ),
    )


def _evaluation() -> Row:
    age = _S.age("last_evaluation_timestamp_seconds", "instance", "model")
    return Row(
        "Are the numbers fresh?",
        (
            _trend(
                "Age of the evaluation by model",
                "last_evaluation_timestamp_seconds",
                Query(age, f"{_OF} {{{{model}}}}"),
                of="s",
                steps=above(thresholds.STALE_EVALUATION_SECONDS),
                text="How long ago.",
            ),
            _trend("Time of an evaluation", "evaluation_seconds", _gauge("evaluation_seconds")),
            _trend(
                "Evaluations that failed",
                "evaluations_failed_total",
                _rate("evaluations_failed_total"),
                of="cps",
            ),
            _trend(
                "Series by model",
                "series",
                Query(
                    _S.total("series", "instance", "model", "model_version"),
                    f"{_OF} {{{{model}}}} {{{{model_version}}}}",
                ),
            ),
            Panel(
                Kind.TREND,
                "Samples of a scrape",
                "How many samples Prometheus took at its last scrape of each sidecar.",
                (Query(f"{_S.series('scrape_samples_scraped', ())} {_OURS}", _OF),),
                least=0,
            ),
            Panel(
                Kind.TREND,
                "Time of a scrape",
                "How long Prometheus's last scrape of each sidecar took; the default limit is 10 seconds.",
                (Query(f"{_S.series('scrape_duration_seconds', ())} {_OURS}", _OF),),
                "s",
                above(thresholds.LONG_SCRAPE_SECONDS),
                least=0,
            ),
        ),
    )


def _bounds() -> Row:
    of_model = ("instance", "model", "model_version")
    legend = f"{_OF} {{{{model}}}} {{{{model_version}}}}"
    return Row(
        "Does a bound bind?",
        (
            _trend(
                "Values folded by bound",
                "values_folded_total",
                _rate("values_folded_total", "bound"),
                of="cps",
            ),
            _trend(
                "Versions dropped",
                "versions_evicted_total",
                _rate("versions_evicted_total", "model"),
                of="cps",
            ),
            _trend(
                "Series left out",
                "series_dropped",
                Query(_S.total("series_dropped", *of_model), legend),
                steps=above(1),
            ),
            _trend(
                "Share of ids kept for the join",
                "pending_sample_ratio",
                Query(_S.worst("min", "pending_sample_ratio", *of_model), legend),
                steps=below(1),
            ),
            _trend(
                "Reach of de-duplication",
                "deduplication_reach_seconds",
                Query(_S.worst("min", "deduplication_reach_seconds", *of_model), legend),
            ),
            _trend(
                "Predictions waiting",
                "pending_predictions",
                Query(_S.total("pending_predictions", *of_model), legend),
            ),
        ),
    )


def _cost() -> Row:
    return Row(
        "What does it cost?",
        (
            _trend("Memory", "process_resident_bytes", _gauge("process_resident_bytes")),
            _trend(
                "Memory of its limit",
                "memory_limit_bytes",
                Query(_memory_ratio(), _OF),
                of="percentunit",
                steps=_MEMORY,
                text="Resident memory as a share of it: caches shrink at 80%, at 90% intake is shed.",
            ),
            _trend(
                "CPU",
                "process_cpu_seconds_total",
                _rate("process_cpu_seconds_total"),
                of="none",
                text="Cores in use.",
            ),
        ),
    )
