"""Durations, sizes, ratios and addresses, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftgauge.config_alerts import Bound, OfWindows, Unit
from driftgauge.config_file import (
    TcpAddress,
    UnixAddress,
    duration_text,
    parse_address,
    parse_duration,
    parse_ratio,
    parse_size,
    ratio_text,
    size_text,
)
from driftgauge.config_file.scalars import bound_text, parse_bound, parse_of_windows, read_scalar


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0.0),
        ("7ms", 0.007),
        ("30s", 30.0),
        ("15m", 900.0),
        ("1.5h", 5400.0),
        ("7d", 604800.0),
        ("2w", 1209600.0),
    ],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (0.005, "5ms"),
        (0.0000005, "0.0000005s"),
        (1.0, "1s"),
        (1.5, "1500ms"),
        (90.0, "90s"),
        (3600.0, "1h"),
        (86400.0, "1d"),
        (604800.0, "7d"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_a_duration_comes_back_exactly(seconds: float) -> None:
    assert parse_duration(duration_text(seconds)) == seconds


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (1000, "1000B"), (1024, "1KiB"), (8 << 20, "8MiB"), (3 << 30, "3GiB")],
)
def test_a_size_is_written_in_its_largest_whole_unit(size: int, text: str) -> None:
    assert size_text(size) == text


@given(st.integers(min_value=0, max_value=10**17))
def test_a_size_comes_back_exactly(size: int) -> None:
    assert parse_size(size_text(size)) == size


@pytest.mark.parametrize(("ratio", "text"), [(0.1, "10%"), (1.0, "100%"), (0.125, "0.125"), (0, "0%")])
def test_a_ratio_is_a_percentage_where_that_is_exact(ratio: float, text: str) -> None:
    assert ratio_text(ratio) == text


@given(st.floats(min_value=0, max_value=1, allow_subnormal=False))
def test_a_ratio_comes_back_exactly(ratio: float) -> None:
    assert parse_ratio(ratio_text(ratio)) == ratio


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9877", TcpAddress("127.0.0.1", 9877)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("[::1]:80", TcpAddress("::1", 80)),
        ("unix:/run/d.sock", UnixAddress("/run/d.sock")),
    ],
)
def test_an_address(text: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_address(text) == address


@given(st.text())
def test_any_text_is_an_address_or_worded(text: str) -> None:
    try:
        worded = repr(parse_address(text))
    except ValueError as error:
        worded = str(error)
    assert worded.startswith(
        ("host:port", "a port", "an absolute path", "a socket path", "TcpAddress", "UnixAddress")
    )


def test_a_type_without_a_parser_is_a_mistake_of_ours() -> None:
    from pathlib import Path

    from driftgauge.config_file.nodes import ScalarNode

    with pytest.raises(TypeError, match="no way to read a <class 'complex'>"):
        read_scalar(complex, ScalarNode(1, "1j"), Path())


@pytest.mark.parametrize(
    ("text", "bound", "written"),
    [
        ("70%", Bound(0.7, Unit.PERCENT), "70%"),
        ("12.50%", Bound(0.125, Unit.PERCENT), "12.5%"),
        ("-5%", Bound(-0.05, Unit.PERCENT), "-5%"),
        ("150%", Bound(1.5, Unit.PERCENT), "150%"),
        ("0.25", Bound(0.25), "0.25"),
        ("-1000", Bound(-1000.0), "-1000"),
        ("0.5 sd", Bound(0.5, Unit.DEVIATIONS), "0.5 sd"),
        ("0.5sd", Bound(0.5, Unit.DEVIATIONS), "0.5 sd"),
        ("250ms", Bound(0.25, Unit.SECONDS), "250ms"),
        ("2m", Bound(120.0, Unit.SECONDS), "2m"),
    ],
)
def test_a_limit(text: str, bound: Bound, written: str) -> None:
    assert parse_bound(text) == bound
    assert bound_text(bound) == written


@pytest.mark.parametrize("text", ["", "%", "ten", "10 %", "0.5 SD", "1e999", "sd", "5 ms", "10%%", "inf"])
def test_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match=r"a limit such as 10%, 0\.25, 0\.5 sd or 250ms"):
        parse_bound(text)


@given(st.floats(-1e6, 1e6).filter(bool), st.sampled_from([Unit.PLAIN, Unit.PERCENT, Unit.DEVIATIONS]))
def test_a_limit_is_the_same_when_written_again(number: float, unit: Unit) -> None:
    # No one writes more decimals than a file can hold.
    bound = parse_bound(bound_text(Bound(round(number, 12), unit)))
    assert bound == Bound(round(number, 12), unit)


def test_windows_of_windows() -> None:
    assert parse_of_windows("2 of 3") == OfWindows(2, 3)
    for text in ("2", "2of3", "two of 3", "2 of 3 ", "-1 of 3"):
        with pytest.raises(ValueError, match="windows such as 2 of 3"):
            parse_of_windows(text)
