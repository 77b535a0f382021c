from datetime import UTC, datetime

import numpy as np
import pytest

from driftgauge.ingest.timestamps import UNIFORM_AT_LEAST, epoch_seconds

NOON = 1_772_366_400.0  # this and the others below: date -u -d 2026-03-01T12:00:00Z +%s


@pytest.mark.parametrize("times", [1, UNIFORM_AT_LEAST], ids=["alone", "as a uniform column"])
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01t12:00:00z", NOON),
        ("2026-03-01 12:00:00", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("2026-03-01T12:00:00.250Z", NOON + 0.25),
        ("2026-03-01 12:00:00.5", NOON + 0.5),
        ("2026-03-01T12:00:00.123456789Z", NOON + 0.123456),
        ("2026-03-01T14:00:00+02:00", NOON),
        ("2026-03-01T14:00:00+0200", NOON),
        ("2026-03-01T06:30:00.000-05:30", NOON),
        ("2024-02-29T00:00:00Z", 1_709_164_800.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("2345-06-07T08:09:10.123456Z", 11_847_456_550.123456),
        (NOON + 0.125, NOON + 0.125),
        (0.0, 0.0),
        (1e11, 1e11),
    ],
)
def test_a_moment_is_read(text, seconds, times):
    found, faults = epoch_seconds([text] * times, "timestamp")
    assert found.tolist() == [seconds] * times
    assert not faults


@pytest.mark.parametrize("times", [1, UNIFORM_AT_LEAST], ids=["alone", "as a uniform column"])
@pytest.mark.parametrize(
    ("moment", "found"),
    [
        ("yesterday", "other text"),
        ("", "other text"),
        ("2026-03-01", "other text"),
        ("20260301T120000Z", "other text"),
        ("2026-W09-7T12:00:00Z", "other text"),
        ("2026-02-29T12:00:00Z", "other text"),
        ("2026-13-01T12:00:00Z", "other text"),
        ("2026-03-01T24:00:00Z", "other text"),
        ("2026-03-01T12:00:60Z", "other text"),
        ("2026-03-01T12:00:00,5Z", "other text"),
        ("2026-03-01T12:00:00+25:00", "other text"),
        ("٢٠٢٦-03-01T12:00:00Z", "other text"),
        ("1772366400", "other text"),
        (NOON * 1e3, "a number that looks like milliseconds or finer"),
        (NOON * 1e9, "a number that looks like milliseconds or finer"),
        (-1.0, "a moment outside 1970 to 5138"),
        (float("inf"), "a moment outside 1970 to 5138"),
        ("1969-12-31T23:59:59Z", "a moment outside 1970 to 5138"),
        ("0001-01-01T00:00:00+10:00", "a moment outside 1970 to 5138"),
    ],
)
def test_what_is_no_moment_is_worded(moment, found, times):
    _, faults = epoch_seconds([moment] * times, "timestamp")
    words = f"timestamp: expected RFC 3339 text or epoch seconds, got {found}"
    assert [fault.detail for fault in faults.values()] == [words] * times
    assert {str(fault.reason) for fault in faults.values()} == {"bad_timestamp"}


def test_one_other_text_in_a_uniform_column_costs_only_itself():
    column = ["2026-03-01T12:00:00Z"] * 99
    column[40] = "2026-03-01T12:00:0xZ"
    column[41] = "2026-03-01T12:00:00+"
    found, faults = epoch_seconds(column, "timestamp")
    assert sorted(faults) == [40, 41]
    assert np.delete(found, [40, 41]).tolist() == [NOON] * 97


def test_numbers_texts_and_nothing_may_stand_together():
    found, faults = epoch_seconds(["2026-03-01T12:00:00Z", NOON, None], "timestamp")
    assert found[:2].tolist() == [NOON, NOON]
    assert np.isnan(found[2])
    assert not faults


def test_uniform_columns_agree_with_datetime():
    moments = [datetime.fromtimestamp(86_400.0 * 11 * n + n + n / 977, UTC) for n in range(40, 7000)]
    column = [moment.isoformat(timespec="microseconds") for moment in moments]
    found, _ = epoch_seconds(column, "timestamp")
    assert found.tolist() == [moment.timestamp() for moment in moments]
