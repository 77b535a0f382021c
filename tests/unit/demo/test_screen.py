"""Lines for a log, lines above a bar for a terminal."""

from __future__ import annotations

import io

import pytest

from driftgauge.demo.screen import Screen
from driftgauge.snapshot import Notice
from driftgauge.web.ports import Progress

NOTICE = Notice(1_554_595_200.0, "car-loan", "car_value moved: PSI 1.8 since 2019-04-05")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    return Terminal()


def test_a_sentence_has_its_day_and_model():
    out = io.StringIO()
    Screen(out).notice(NOTICE)
    assert out.getvalue() == "2019-04-07  car-loan     car_value moved: PSI 1.8 since 2019-04-05\n"


def test_without_a_terminal_each_quarter_is_told_once():
    out = io.StringIO()
    screen = Screen(out)
    for percent in range(101):
        screen.progress(Progress("the replay", percent / 100))
    assert out.getvalue().splitlines() == [f"{n}% of the replay" for n in (25, 50, 75, 100)]


def test_a_terminal_has_a_bar_below_the_lines(terminal):
    screen = Screen(terminal)
    screen.progress(Progress("the replay", 0.5))
    screen.say("a line")
    bar = "█" * 15 + "░" * 15 + "  50%  the replay"
    assert terminal.getvalue() == f"\r\x1b[K{bar}\r\x1b[Ka line\n{bar}"


def test_the_bar_goes(terminal):
    screen = Screen(terminal)
    screen.progress(Progress("the replay", 1.0))
    screen.end_progress()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_long_sentence_is_broken_to_the_terminal(terminal):
    Screen(terminal).notice(Notice(NOTICE.time, "car-loan", "word " * 30))
    lines = terminal.getvalue().removeprefix("\r\x1b[K").splitlines()
    assert len(lines) > 3
    assert all(len(line) < 60 for line in lines)
    assert all(line.startswith(" " * 25 + "word") for line in lines[1:])
