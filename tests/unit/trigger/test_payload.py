"""Webhook bodies, friendly and hostile: each alert is taken or counted, none ends in an exception."""

from __future__ import annotations

import base64
import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.trigger.running import alert, webhook

from driftgauge.errors import RequestError
from driftgauge.trigger.payload import MOST_ALERTS, AlertResult, decode


def decoded(*alerts):
    return decode(json.dumps(webhook(*alerts)).encode())


def test_an_alert_has_what_it_was_sent_with():
    [found] = decoded(alert(window="7d", starts_at="2026-01-01T02:00:00.5+02:00")).alerts
    assert (found.name, found.model, found.severity, found.window) == (
        "ModelDrift",
        "car-loan",
        "warning",
        "7d",
    )
    assert found.starts_at == 1767225600.5
    assert found.reason == "ModelDrift of car-loan"
    assert found.firing


def test_go_writes_nanoseconds():
    [found] = decoded(alert(starts_at="2026-01-01T00:00:00.123456789Z")).alerts
    assert found.starts_at == pytest.approx(1767225600.123456, abs=1e-6)


def test_new_keys_are_passed_over():
    """What Alertmanager 0.32 adds, and what a later one may."""
    body = {
        **webhook(alert()),
        "notification_reason": "first notification",
        "routeLabels": {"a": "b"},
        "new": [1],
    }
    assert len(decode(json.dumps(body).encode()).alerts) == 1


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"labels": {"model": "m"}}, AlertResult.NO_NAME),
        ({"labels": {"alertname": "", "model": "m"}}, AlertResult.NO_NAME),
        ({"labels": {"alertname": "a" * 129}}, AlertResult.TOO_LONG),
        ({"labels": {"alertname": "a", "model": "m" * 129}}, AlertResult.TOO_LONG),
        ({"labels": {"alertname": "a", "x": "y" * 2000}}, AlertResult.TOO_LONG),
        ({"labels": {"alertname": "a", **{str(n): "" for n in range(100)}}}, AlertResult.TOO_LONG),
        ({"labels": {"alertname": 1}}, AlertResult.MALFORMED),
        ({"labels": None}, AlertResult.MALFORMED),
        ({"status": "burning"}, AlertResult.MALFORMED),
        ({"startsAt": "yesterday"}, AlertResult.BAD_TIMESTAMP),
        ({"startsAt": 17}, AlertResult.MALFORMED),
        ({"startsAt": "2026-13-01T00:00:00Z"}, AlertResult.BAD_TIMESTAMP),
    ],
)
def test_a_bad_alert_is_counted_and_spoils_no_other(change, result):
    found = decoded({**alert(), **change}, alert())
    assert len(found.alerts) == 1
    assert found.dropped == {result: 1}


def test_what_is_no_object_is_counted():
    found = decoded(1, None, [], "x", alert())
    assert len(found.alerts) == 1
    assert found.dropped == {AlertResult.MALFORMED: 4}


def test_more_alerts_than_are_looked_at_are_counted():
    found = decoded(*[alert(n=str(n)) for n in range(MOST_ALERTS + 7)])
    assert len(found.alerts) == MOST_ALERTS
    assert found.dropped == {AlertResult.ALERT_LIMIT: 7}


def test_without_a_fingerprint_the_labels_tell_alerts_apart():
    bare = [{**alert(feature=feature), "fingerprint": ""} for feature in "aab"]
    assert len({found.fingerprint for found in decoded(*bare).alerts}) == 2


def test_a_long_summary_is_cut_and_kept_on_one_line():
    [found] = decoded({**alert(), "annotations": {"description": "a\nb " * 1000}}).alerts
    assert found.reason.startswith("a b a b")
    assert len(found.reason) == 500


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"null", b'{"version":"4"}', b'{"alerts":[]}', b'{"version":4,"alerts":[]}', b"\xff"],
)
def test_what_is_no_webhook_is_refused_in_words(body):
    with pytest.raises(RequestError, match="must not set payload") as caught:
        decode(body)
    assert caught.value.status == 400


def test_another_version_is_refused():
    with pytest.raises(RequestError, match="expected 4"):
        decode(b'{"version":"5","alerts":[]}')


@pytest.mark.parametrize("file", ["jsontestsuite.jsonl.gz", "jsontestsuite_transform.jsonl.gz"])
def test_any_json_text_in_the_place_of_an_alert(data, file):
    """318 and more texts that parsers differ about: taken, counted or refused, never an exception."""
    with gzip.open(data / "robustness" / file, "rt") as lines:
        for line in lines:
            text = base64.b64decode(json.loads(line)["base64"])
            for body in (text, b'{"version":"4","alerts":[' + text + b"]}"):
                with suppress(RequestError):
                    assert not decode(body).alerts


def test_naughty_strings_go_in_and_out_unchanged(data):
    with gzip.open(data / "robustness" / "naughty_strings.json.gz", "rt") as file:
        strings = [text for text in json.load(file) if text]
    for text in strings:
        found = decoded(alert(text, model="m"))
        assert [a.name for a in found.alerts] == ([text] if len(text) <= 128 else [])
        assert found.alerts or found.dropped


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["status", "labels", "startsAt", "x"]), inner)
        ),
        max_leaves=20,
    )
)
def test_any_document(document):
    body = json.dumps({"version": "4", "alerts": [document]}).encode()
    try:
        found = decode(body)
    except RequestError:
        return
    assert len(found.alerts) + found.dropped.total() == 1
