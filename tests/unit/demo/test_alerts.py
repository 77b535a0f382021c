"""Which shipped alerts have the time to fire, and the Prometheus beside the demo."""

from __future__ import annotations

import socket

import pytest
import yaml

from driftgauge.demo.alerts import Alert, alerts, free_port, out_of_time, shipped_rules

RULES = """
groups:
  - name: one
    rules:
      - {record: a, expr: b}
      - {alert: Soon, expr: up == 0}
      - {alert: Later, expr: x > 0.25, for: 1h30m}
  - name: two
    rules:
      - {alert: Aged, expr: "time() - last_seconds{a=\\"b\\"} > 3600", for: 15m}
      - {alert: Fresh, expr: "x > 1 and last_seconds > time() - 300", for: 90s}
"""


def test_an_alert_waits_for_its_age_and_its_for():
    assert alerts(RULES) == (
        Alert("Soon", 0.0),
        Alert("Later", 5400.0),
        Alert("Aged", 4500.0),
        Alert("Fresh", 90.0),
    )


def test_every_shipped_alert_is_found():
    document = yaml.safe_load(shipped_rules())
    named = [rule["alert"] for group in document["groups"] for rule in group["rules"] if "alert" in rule]
    assert [alert.name for alert in alerts(shipped_rules())] == named
    assert len(named) >= 10


def test_those_that_can_not_fire_are_named_with_their_time():
    found = (Alert("Soon", 0.0), Alert("Later", 5400.0), Alert("Aged", 3600.0), Alert("Fresh", 90.0))
    assert out_of_time(found, 60.0, 1000.0) == (
        "Alerts wait on wall time, which time_scale 1,000 does not shorten: in 1 min not all of the 4 shipped "
        "ones can fire. Those that can't: Later (after 1.5 h), Aged (after 1 h), Fresh (after 1.5 min)."
    )


def test_it_is_said_when_none_can_fire():
    assert "in 45 s none of the 1 shipped ones can fire" in out_of_time((Alert("Later", 600.0),), 45.0, 1.0)


def test_it_is_said_when_all_can_fire():
    assert out_of_time((Alert("Soon", 0.0),), 60.0, 1.0) == "All 1 shipped alerts have the time to fire."


@pytest.fixture
def taken():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_port_that_is_taken_is_passed_over(taken):
    assert free_port(taken) not in (taken, 0)
