"""Rules as values: durations under a time scale, printing that promtool accepts, tests that it runs."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from driftgauge.artefacts.rules import (
    Alert,
    Duration,
    Group,
    Recording,
    RuleFile,
    Severity,
    TimeScale,
    operator_text,
    prometheus_text,
)
from driftgauge.artefacts.rules.promtool import (
    AlertCase,
    Case,
    QueryCase,
    Sample,
    TestFile,
    expected,
    group_order,
    series,
    test_text,
)


@pytest.mark.parametrize(
    ("milliseconds", "printed", "seconds"),
    [
        (0, "0s", "0"),
        (240, "240ms", "0.24"),
        (1_500, "1s500ms", "1.5"),
        (300_000, "5m", "300"),
        (3_450_000, "57m30s", "3450"),
        (86_400_000, "1d", "86400"),
        (604_800_000, "7d", "604800"),
        (90_000_000, "1d1h", "90000"),
    ],
)
def test_a_duration_prints_as_prometheus_reads_it(milliseconds, printed, seconds):
    assert str(Duration(milliseconds)) == printed
    assert Duration(milliseconds).seconds == seconds


def test_a_duration_is_never_negative():
    with pytest.raises(ValueError, match="at least 0 ms, got -1"):
        Duration(1) - Duration(2)


def test_in_production_nothing_is_divided():
    scale = TimeScale()
    assert str(scale.duration(1800)) == "30m"
    assert str(scale.range(300)) == "5m"
    assert (str(scale.step), str(scale.hour)) == ("5m", "1h")
    assert [(w.name, w.hours) for w in scale.chain_windows()] == [("1h", 1), ("1d", 24), ("7d", 168)]


def test_a_week_of_20_seconds_is_ten_steps_of_two_scrapes():
    scale = TimeScale(30_000, scrape_seconds=1)
    assert (str(scale.step), str(scale.hour)) == ("2s", "2s")
    assert [(w.name, w.hours) for w in scale.chain_windows()] == [("1h", 1), ("1d", 1), ("7d", 10)]
    assert str(scale.duration(86_400)) == "2s880ms"
    assert str(scale.range(900)) == "4s"
    assert str(scale.interval(60)) == "1s"


def test_the_demo_passes_a_day_in_a_minute():
    scale = TimeScale(1440, scrape_seconds=1)
    assert (str(scale.step), str(scale.hour)) == ("2s", "2s")
    assert [w.hours for w in scale.chain_windows()] == [1, 30, 210]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((0.5,), "a time_scale of at least 1, got 0.5"), ((2, 0), "a scrape interval above 0 s, got 0")],
)
def test_a_scale_that_is_none_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TimeScale(*arguments)


def sample_file(scale: TimeScale) -> RuleFile:
    recording = Recording(
        "model:driftgauge_predictions:rate5m",
        f"sum without (instance) (rate(driftgauge_predictions_total[{scale.range(300)}]))",
        comment="A reason.",
    )
    alert = Alert(
        "NobodyAsks",
        "model:driftgauge_predictions:rate5m < 1\nand model:driftgauge_predictions:rate5m >= 0",
        hold=scale.duration(120),
        severity=Severity.WARNING,
        annotations={"summary": 'Only {{ printf "%.2f" $value }} a second'},
        labels={"team": "models"},
        keep_firing=scale.duration(60),
    )
    return RuleFile(
        (Group("first", (recording,), scale.interval(60)), Group("second", (alert,))), head="Top."
    )


def test_a_file_reads_back_as_what_was_printed():
    text = prometheus_text(sample_file(TimeScale()))
    assert text.startswith(
        "# Top.\ngroups:\n  - name: first\n    interval: 1m\n    rules:\n      # A reason.\n"
    )
    first, second = yaml.safe_load(text)["groups"]
    assert first["interval"] == "1m"
    assert second == {
        "name": "second",
        "rules": [
            {
                "alert": "NobodyAsks",
                "expr": "model:driftgauge_predictions:rate5m < 1\nand model:driftgauge_predictions:rate5m >= 0",
                "for": "2m",
                "keep_firing_for": "1m",
                "labels": {"severity": "warning", "team": "models"},
                "annotations": {"summary": 'Only {{ printf "%.2f" $value }} a second'},
            }
        ],
    }


def test_the_operator_gets_the_same_groups():
    file = sample_file(TimeScale())
    made = yaml.safe_load(operator_text(file, name="driftgauge", labels={"release": "prometheus"}))
    assert made["kind"] == "PrometheusRule"
    assert made["metadata"] == {"name": "driftgauge", "labels": {"release": "prometheus"}}
    assert made["spec"]["groups"] == yaml.safe_load(prometheus_text(file))["groups"]


@pytest.mark.parametrize("scale", [TimeScale(), TimeScale(30_000, scrape_seconds=1)], ids=["real", "hurried"])
def test_promtool_accepts_and_runs_what_is_printed(tmp_path, require_tool, scale):
    promtool = require_tool("promtool")
    file = sample_file(scale)
    (alert,) = file.alerts()
    minute = scale.interval(60)
    case = Case(
        "few",
        minute,
        (series("driftgauge_predictions_total", {"model": "a", "instance": "x"}, "0+0x30"),),
        (
            AlertCase(minute, "NobodyAsks", comment="not long enough"),
            AlertCase(
                minute * 15,
                "NobodyAsks",
                (expected(alert, {"model": "a"}, {"summary": "Only 0.00 a second"}),),
            ),
        ),
        (
            QueryCase(
                minute * 10,
                "model:driftgauge_predictions:rate5m",
                (Sample('model:driftgauge_predictions:rate5m{model="a"}', 0),),
            ),
        ),
    )
    (tmp_path / "rules.yml").write_text(prometheus_text(file))
    tests = TestFile(("rules.yml",), minute, (case,), group_order(file))
    (tmp_path / "test.yml").write_text(test_text(tests))
    for command in (
        ("check", "rules", "--lint=all", "--lint-fatal", "rules.yml"),
        ("test", "rules", "test.yml"),
    ):
        done = subprocess.run(
            [promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_promtool_test_fails_where_nothing_fires(tmp_path, require_tool):
    """Or the test above could not fail."""
    file = sample_file(TimeScale())
    (alert,) = file.alerts()
    case = Case(
        "many",
        Duration(60_000),
        (series("driftgauge_predictions_total", {"model": "a"}, "0+600x30"),),
        (AlertCase(Duration(900_000), "NobodyAsks", (expected(alert, {"model": "a"}, {"summary": "x"}),)),),
    )
    (tmp_path / "rules.yml").write_text(prometheus_text(file))
    (tmp_path / "test.yml").write_text(test_text(TestFile(("rules.yml",), Duration(60_000), (case,))))
    command = (require_tool("promtool"), "test", "rules", "test.yml")
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=30).returncode == 1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Recording("plain_name", "1"),
            "plain_name: expected a name of the form level:metric:operations",
        ),
        (
            lambda: Alert("lower", "1", Duration(0), Severity.INFO, {}),
            "lower: expected the name of an alert in CamelCase",
        ),
        (
            lambda: Alert("Valued", "1", Duration(0), Severity.INFO, {}, {"size": "{{ $value }}"}),
            r"Valued: label size: \$value",
        ),
    ],
)
def test_what_breaks_a_convention_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
