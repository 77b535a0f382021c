import pytest

from driftgauge.exposition.lines import heads, label_set, sample_names
from driftgauge.metrics import Metric


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("", ""),
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("a\nb", r"a\nb"),
        ("\\n", r"\\n"),
        ("a\rb\tc", "a\rb\tc"),
        ("ümlaut 漢", "ümlaut 漢"),
        ("\ud800", r"\\ud800"),
    ],
)
def test_a_label_is_escaped(value, written):
    assert label_set(("l",), (value,)) == f'{{l="{written}"}} '


def test_no_label_is_no_braces():
    assert label_set((), ()) == " "


def test_help_escapes_quotes_in_openmetrics_only():
    text, openmetrics = heads(Metric("a_total", "counter", 'back\\slash, "quote",\nline'))
    assert text == b'# HELP a_total back\\\\slash, "quote",\\nline\n# TYPE a_total counter\n'
    assert openmetrics == b'# HELP a back\\\\slash, \\"quote\\",\\nline\n# TYPE a counter\n'


def test_a_metric_is_known_by_its_family_and_its_samples():
    assert sample_names(Metric("a_total", "counter", "")) == {"a", "a_total"}
    assert sample_names(Metric("a", "gauge", "")) == {"a"}
    assert sample_names(Metric("a", "histogram", "")) == {"a", "a_bucket", "a_sum", "a_count"}
