import gzip
import re
import zlib

import pytest

from driftgauge.exposition.live import Live
from driftgauge.exposition.page import OPENMETRICS, TEXT, accepts_gzip, compose
from driftgauge.exposition.rendered import EMPTY, Family, Rendered
from driftgauge.metrics import BY_NAME

PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def rendered(samples: bytes = b"driftgauge_feature_psi 1.0\n") -> Rendered:
    return Rendered((Family(BY_NAME["driftgauge_feature_psi"], b"# text\n", b"# openmetrics\n", samples),))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        (PROMETHEUS_2_42, OPENMETRICS),
        (PROMETHEUS_3, OPENMETRICS),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text; VERSION=1.0.0", OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1", TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0", TEXT),
        ("application/openmetrics-text;version=²", TEXT),
        ("application/openmetrics-text;q=much", TEXT),
        (";;,=,;q", TEXT),
    ],
)
def test_the_format_is_the_one_asked_for(accept, expected):
    assert compose(EMPTY, Live(), accept=accept).content_type == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_gzip_is_given_to_those_who_accept_it(header, expected):
    assert accepts_gzip(header) is expected
    assert compose(EMPTY, Live(), accept_encoding=header).content_encoding == ("gzip" if expected else None)


def test_openmetrics_ends_with_exactly_one_eof():
    body = compose(rendered(), Live(), accept=OPENMETRICS).body
    assert body.endswith(b"\n# EOF\n")
    assert body.count(b"# EOF") == 1


def test_text_has_no_eof():
    assert b"# EOF" not in compose(rendered(), Live()).body


def without_time(body: bytes) -> bytes:
    return re.sub(rb"(driftgauge_process_\S+) \S+", rb"\1", body)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
@pytest.mark.parametrize("names", [(), ("driftgauge_feature_psi",), ("driftgauge_nothing",)])
def test_the_compressed_page_is_the_plain_one(accept, names):
    big = rendered(b"".join(b'driftgauge_feature_psi{feature="%d"} 1.0\n' % i for i in range(20_000)))
    live = Live()
    plain = compose(big, live, accept=accept, names=names)
    packed = compose(big, live, accept=accept, accept_encoding="gzip", names=names)
    assert without_time(gzip.decompress(packed.body)) == without_time(plain.body)


def test_the_compressed_page_is_one_member():
    page = compose(rendered(), Live(), accept_encoding="gzip")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    inflater.decompress(page.body)
    assert inflater.eof
    assert inflater.unused_data == b""


def test_names_choose_from_both_parts():
    names = ["driftgauge_feature_psi", "driftgauge_process_start_time_seconds"]
    body = compose(rendered(), Live(started_at=5.0), names=names).body
    assert body == (
        b"# text\ndriftgauge_feature_psi 1.0\n"
        b"# HELP driftgauge_process_start_time_seconds Wall time of the start.\n"
        b"# TYPE driftgauge_process_start_time_seconds gauge\n"
        b"driftgauge_process_start_time_seconds 5.0\n"
    )


def test_a_histogram_is_given_whole_by_any_of_its_names():
    live = Live()
    live.histogram("driftgauge_commit_seconds").observe(0.1)
    for suffix in ("", "_bucket", "_sum", "_count"):
        body = compose(EMPTY, live, names=["driftgauge_commit_seconds" + suffix]).body
        assert b'driftgauge_commit_seconds_bucket{le="+Inf"} 1.0\n' in body
        assert b"driftgauge_commit_seconds_count 1.0\n" in body


def test_a_format_that_was_asked_for_is_prepared_with_the_next_text():
    wanted: set[bool] = set()
    Rendered(wanted=wanted).compressed(openmetrics=True)
    following = Rendered(wanted=wanted)
    following.prepare()
    assert set(following._compressed) == {True}
