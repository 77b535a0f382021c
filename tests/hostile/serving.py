"""One process whose answers are added up, so that its counters can be held against what it told."""

from __future__ import annotations

import json
import subprocess
from collections import Counter

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families
from tests.e2e.harness import DEADLINE, Http, poll, samples, total

NDJSON = "application/x-ndjson"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Told:
    """Posts to a process over one connection, and remembers what it said.

    Attributes:
        accepted, duplicates: by kind.
        records: records that were not taken, by (kind, reason); requests: whole requests, by reason.
    """

    def __init__(self, process):
        self.process = process
        self.http = Http(process.addresses["intake"])
        self.accepted, self.duplicates = Counter(), Counter()
        self.records, self.requests = Counter(), Counter()

    def post(self, kind, body, *, ndjson=False, headers=None):
        """Status and answer; fails on a 5xx, on a connection closed without an answer, on a wrong sum."""
        if not isinstance(body, bytes):
            body = lines(body) if ndjson else json.dumps(body).encode()
        given = {"Content-Type": NDJSON if ndjson else "application/json", **(headers or {})}
        status, found, answer = self.http("POST", f"/v1/{kind}", body, given, again=False)
        assert status < 500, (status, answer, body[:300])
        answer = json.loads(answer) | {"headers": found}
        refused = answer.get("rejected", [])
        assert answer.get("rejected_total", 0) >= len(refused)
        if answer.get("rejected_total", 0) == len(refused):
            self.records.update((kind, each["reason"]) for each in refused)
        else:  # only the first hundred are told; a test that sends more has one reason for all
            (reason,) = {each["reason"] for each in refused}
            self.records[kind, reason] += answer["rejected_total"]
        if status == 200:
            self.accepted[kind] += answer["accepted"]
            self.duplicates[kind] += answer["duplicates"]
        else:
            self.requests[answer["reason"]] += 1
        return status, answer

    def samples(self):
        """All samples now, by the parser of the plain text."""
        return samples(self.http.text("/metrics"))

    def until(self, found, otherwise, seconds=DEADLINE):
        """The samples as soon as *found* says that they are what was waited for."""

        def look():
            now = self.samples()
            return now if found(now) else None

        return poll(look, otherwise, self.process.log, seconds)

    def check(self, promtool):
        """Both texts parse and promtool finds nothing; the counters of refusals say what was told."""
        text = self.http.text("/metrics")
        now = samples(text)
        assert by_its_client(text) == now
        assert list(text_string_to_metric_families(self.http.text("/metrics", Accept=OPENMETRICS)))
        ran = subprocess.run(
            [promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False
        )
        assert (ran.returncode, ran.stderr, ran.stdout) == (0, b"", b"")
        assert refusals(now, "records_rejected_total", "door", "reason") == self.records
        assert refusals(now, "requests_rejected_total", "reason") == {
            (r,): n for r, n in self.requests.items()
        }
        assert total(now, "predictions_total") == self.accepted["predictions"]
        return now


def by_its_client(text):
    """All samples as Prometheus's own client reads them."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in plain_families(text)
        for sample in family.samples
    }


def refusals(now, name, *labels):
    """The counters *name* that aren't 0, by the values of *labels*."""
    found = {}
    for (sample, have), count in now.items():
        if sample == "driftgauge_" + name and count:
            found[tuple(dict(have)[label] for label in labels)] = count
    return found


def counted(answer):
    """How many records an answer accounts for."""
    return answer.get("accepted", 0) + answer.get("duplicates", 0) + answer.get("rejected_total", 0)


def lines(records):
    """*records* as NDJSON."""
    return b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in records)


def labels_of(now, label):
    """Every value of *label*."""
    return {dict(have)[label] for _, have in now if label in dict(have)}
