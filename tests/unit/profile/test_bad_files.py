"""Files that can't be profiled, and rows that can't: one line each, with the place."""

from __future__ import annotations

import contextlib
import gzip
import sys

import pytest
from tests.unit.profile.conftest import zipped

from driftgauge.profile import ProfileError, Settings, profile


def refused(profiled, *args, **kwargs):
    with pytest.raises(ProfileError) as caught:
        profiled(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message[message.find("train") :] if "train" in message else message


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "train.csv", "train.csv:1: expected a header that names the columns, got nothing"),
        ("a,b\n", "train.csv", "train.csv: expected at least one record, got none"),
        (
            "a,b\n1\n2,3,4\n", "train.csv",
            "train.csv: expected at least one record, got none; 2 rows left out: expected 2 fields "
            "(first: line 2, 1 fields)",
        ),
        ("a,b,a\n1,2,3\n", "train.csv", "train.csv:1: expected each column once, got 'a' again"),
        ("a;b;c\n1;2;3\n", "train.csv", "train.csv:1: expected columns parted by ',', got one column; perhaps --delimiter ';'?"),
        ("a\tb\n1\t2\n", "train.csv", "train.csv:1: expected columns parted by ',', got one column; perhaps --delimiter TAB?"),
        ("a,b\n1,2\n".encode("utf-16"), "train.csv", "train.csv: expected UTF-8, got UTF-16; convert it first"),
        (b"a,\xff\n1,2\n", "train.csv", "train.csv:1: expected a header in UTF-8, got bytes that are not"),
        (b"a,\0\n1,2\n", "train.csv", "train.csv:1: expected a header in UTF-8, got bytes that are not"),
        (b"a" * (9 << 20), "train.csv", "train.csv: expected lines of at most 8 MiB, got a longer one"),
        ('"' + "a" * 200_000, "train.csv", "train.csv:1: expected a header, got: field larger than field limit (131072)"),
        (
            zipped("a,b\n" + "1,2\n" * 20_000)[:-60], "train.csv.gz",
            "train.csv.gz: expected gzip to its end, got: Compressed file ended before the end-of-stream marker was reached",
        ),
        (
            "a\n1\n", "train.xlsx",
            "train.xlsx: expected a name that ends in .csv, .tsv, .ndjson, .jsonl (each with .gz or not) or .parquet, "
            "or --format, got 'train.xlsx'",
        ),
        ("", "train.jsonl", "train.jsonl: expected at least one record, got none"),
        ('[{"a": 1}]', "train.jsonl", "train.jsonl:1: expected one JSON object a line, got a list"),
        (
            "nope\n3\n", "train.jsonl",
            "train.jsonl: expected at least one record, got none; 2 rows left out: expected a JSON object "
            "(first: line 1, not JSON)",
        ),
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_profiled(profiled, content, name, message):
    assert refused(profiled, content, name) == message


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"score": "scor"}, "train.csv: --score: expected one of the columns ts, x, score, plan; got 'scor'"),
        ({"segments": ("nope",)}, "train.csv: --segment: expected one of the columns ts, x, score, plan; got 'nope'"),
        ({"score": "plan"}, "train.csv: --score 'plan': expected numbers, got 'a' (line 2)"),
        (
            {"time": "plan"},
            "train.csv: expected at least one record, got none; 2 rows left out: expected a time in 'plan', "
            "RFC 3339 text, a date, or epoch seconds (first: line 2, 'a')",
        ),
        ({"time": "x", "score": "x"}, "--score: expected a column that is not --time too, got 'x'"),
    ],
)  # fmt: skip
def test_columns_that_are_not_what_they_were_called(profiled, roles, message):
    text = "ts,x,score,plan\n2026-01-01,1,0.5,a\n2026-01-02,2,0.6,b\n"
    assert refused(profiled, text, roles=roles) == message


def test_a_column_of_ndjson_that_never_came(profiled):
    assert refused(profiled, '{"a": 1}\n', "train.jsonl", roles={"score": "s"}) == (
        "train.jsonl: --score 's': expected values, got none in any row"
    )


@pytest.mark.parametrize(
    ("lines", "findings"),
    [
        (["1,2", "1", "1,2,3", "3,4"], ("2 rows left out: expected 2 fields (first: line 3, 1 fields)",)),
        (["1,2", "1,\0", "3,4"], ("1 row left out: expected no NUL (first: line 3)",)),
        (["1,2", "1,caf\udce9", "3,4"], ("1 row left out: expected UTF-8 (first: line 3)",)),
        (["1,2", "", "3,4"], ()),
        (
            ["1,2", '"' + "x" * 140_000, "3,4"],
            ("1 row left out: expected a row, got a field without an end (an open quote?) (first: line 3)",),
        ),
    ],
)  # fmt: skip
def test_rows_that_are_not_taken_are_counted_with_their_line(profiled, lines, findings):
    content = ("a,b\n" + "\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    found = profiled(content)
    assert found.rows == 2
    assert found.findings == findings


def test_rows_of_ndjson_that_are_not_taken(profiled):
    found = profiled(b'{"a": 1}\n\n{"a": \xff}\n[1]\n{"a": 2}\n{"a": \n', "train.jsonl", chunk_rows=2)
    assert found.rows == 2
    assert found.findings == ("3 rows left out: expected a JSON object (first: line 3, not JSON)",)


def test_rows_without_a_time_are_left_out_and_told(profiled):
    text = "ts,x\n2026-01-01T10:00:00Z,1\nyesterday,2\n,3\n2026-01-02,4\n"
    found = profiled(text, roles={"time": "ts"})
    assert found.rows == 2
    assert [day for day, _ in found.reference.days] == [20454, 20455]
    assert found.findings == (
        "2 rows left out: expected a time in 'ts', RFC 3339 text, a date, or epoch seconds "
        "(first: line 3, 'yesterday')",
    )


def test_milliseconds_are_no_epoch_seconds(profiled):
    text = "ts,x\n1767225600,1\n1767225600000,2\n"
    found = profiled(text, roles={"time": "ts"})
    assert found.rows == 1
    assert found.reference.first == 1767225600.0


def test_more_days_than_a_reference_may_hold(profiled):
    text = "ts,x\n" + "".join(f"{i * 86400},{i % 3}\n" for i in range(4001))
    assert refused(profiled, text, roles={"time": "ts"}) == (
        "--time 'ts': expected at most 4000 different days, got more"
    )


def test_predictions_that_say_nothing_are_told(profiled):
    text = "x,p,s\n1,maybe,0.9\n2,true,0.1\n3,no,0.2\n"
    found = profiled(text, roles={"prediction": "p", "score": "s"})
    assert found.findings == (
        "2 predictions of 'p' counted as missing: expected true, false, 1 or 0 (first: line 2, 'maybe')",
    )


def test_no_such_file(tmp_path):
    with pytest.raises(ProfileError, match=r"none\.csv: expected a file, got none of that name$"):
        profile(tmp_path / "none.csv", Settings())
    with pytest.raises(ProfileError, match=r"expected a file, got a directory$"):
        profile(tmp_path, Settings(format="csv"))


def test_parquet_needs_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "train.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(ProfileError) as caught:
        profile(path, Settings())
    assert str(caught.value) == (
        f"{path}: expected pyarrow for Parquet, got none; pip install 'driftgauge[parquet]'"
    )


def test_a_parquet_file_that_is_none(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "train.parquet"
    path.write_bytes(b"a,b\n1,2\n" * 10)
    with pytest.raises(
        ProfileError, match=r"train\.parquet: expected a Parquet file, got: Parquet magic bytes"
    ):
        profile(path, Settings())


def test_a_column_without_a_name_is_left_out(profiled):
    found = profiled(",x\n0,1\n1,2\n")
    assert found.reference.bins.numeric == ("f:x",)
    assert found.findings == ("1 column without a name left out (first: column 1)",)


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_whatever_the_bytes_there_is_no_traceback(profiled, cut):
    """Bytes of every kind end in a profile or in words."""
    import random

    source = random.Random(cut)
    for name in ("train.csv", "train.jsonl", "train.csv.gz"):
        for _ in range(30):
            noise = source.choice([b"", b"a,b\n1,2\n", b'{"a":1}\n', gzip.compress(b"a\n1\n")]) + bytes(
                source.randrange(256) for _ in range(cut * 20)
            )
            with contextlib.suppress(ProfileError):
                profiled(noise, name)
