"""The rules of the Prometheus beside the demo, and its port."""

from __future__ import annotations

import socket

import pytest
import yaml

from driftgauge.demo.alerts import free_port, rules_text


def test_the_rules_wait_as_long_as_the_demo_lets_them():
    [half_an_hour] = {
        rule["for"]
        for group in yaml.safe_load(rules_text(1000.0))["groups"]
        for rule in group["rules"]
        if rule.get("alert") == "ModelRanksByChance"
    }
    assert half_an_hour == "1s800ms"


@pytest.fixture
def taken():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_a_port_that_is_taken_is_passed_over(taken):
    assert free_port(taken) not in (taken, 0)
