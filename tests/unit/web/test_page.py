"""The page: self-contained, escaped, and says what there is to say."""

import base64
import dataclasses
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from msgspec import structs

from driftgauge.snapshot import (
    EMPTY,
    BestThreshold,
    BusinessValue,
    ClassQuality,
    Detector,
    Drift,
    LabelState,
    Notice,
    Quality,
    Snapshot,
    ValueInfo,
    VersionSnapshot,
    VersionState,
    WindowState,
)
from driftgauge.web import markup
from driftgauge.web.page import CONTENT_SECURITY_POLICY, View, render
from driftgauge.web.ports import Component, Progress, Readiness

DASH = "\N{EN DASH}"
VOID = {"meta", "link", "rect"}
LOADING = {"src", "href", "action", "data", "poster", "srcset", "formaction"}


class Reader(HTMLParser):
    """Checks that tags nest, and keeps what a test asks about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack, self.tags, self.attributes, self.words, self.rows = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.stack):
            self.rows[-1][-1] += data
        if not {"style", "script"} & set(self.stack):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def row(kind, /, **given):
    """A row with *given* fields; labels are empty and values None where none is given."""
    return kind(**{f.name: "" if f.type is str else None for f in structs.fields(kind)} | given)


def drift(feature: str, psi: float | None, window: str = "1d", **more) -> Drift:
    return row(Drift, **({"feature": feature, "window": window, "psi": psi} | more))


def version(name: str = "churn", **parts) -> VersionSnapshot:
    empty = {f.name: () for f in dataclasses.fields(VersionSnapshot)}
    state = parts.pop("state", row(VersionState, model=name, model_version="v1", reference_state="frozen"))
    return VersionSnapshot(**(empty | {"state": state} | parts))


def view(*versions: VersionSnapshot, **more) -> View:
    base = View(
        snapshot=Snapshot(1_767_225_600.0, 0.1, versions) if versions else EMPTY,
        notices=(),
        components=(),
        readiness=Readiness(True),
        progress=None,
        intake_address="127.0.0.1:9877",
    )
    return dataclasses.replace(base, **more)


def read(*versions: VersionSnapshot, **more) -> Reader:
    return Reader(render(view(*versions, **more)))


def test_the_page_loads_nothing_from_elsewhere():
    page = read(version(drift=(drift("age", 0.3),)), progress=Progress("x", 0.5))
    loaded = {value for name, value in page.attributes if name in LOADING}
    assert all(not re.match(r"[a-z]+:|//", value) for value in loaded - {"data:,"})
    assert not {name for name, _ in page.attributes if name.startswith("on") or name == "style"}


def test_its_policy_names_its_own_style_and_script():
    text = render(view())
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL).group(1)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_it_is_served_with_its_policy(served):
    reply = served.get("/", door="observation")
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert f"http://{served.states[0].address}/v1/predictions" in Reader(reply.body.decode()).text


def test_with_nothing_received_it_says_what_to_do():
    text = read().text
    assert "Nothing received yet" in text
    assert "curl http://127.0.0.1:9877/v1/predictions" in text
    assert "-H 'Content-Type: application/json'" in text
    body = re.search(r"/v1/predictions.*?-d '(.*?)'", text).group(1)
    assert json.loads(body)["model"] == "churn"


def test_a_unix_socket_is_told_to_curl():
    text = read(intake_address="unix:/run/d.sock").text
    assert "curl --unix-socket /run/d.sock http://localhost/v1/predictions" in text


def test_without_a_door_there_is_nothing_to_send_to():
    assert "No door for records is open." in read(intake_address="").text


def test_features_stand_in_the_order_of_their_psi():
    rows = (drift("calm", 0.01), drift("silent", None), drift("moved", 0.4), drift("stirred", 0.15))
    page = read(version(drift=rows))
    assert [cells[:2] for cells in page.rows[1:]] == [
        ["moved", "0.400"],
        ["stirred", "0.150"],
        ["calm", "0.010"],
        ["silent", DASH],
    ]
    assert [
        value for name, value in page.attributes if name == "class" and value in {"good", "warn", "bad"}
    ] == [
        "good",  # the page's readiness is a pill; this is the reference
        "bad",
        "warn",
        "good",
    ]


@pytest.mark.parametrize(
    ("count", "shown", "more"), [(50, 50, None), (51, 50, "and 1 more"), (1000, 50, "and 950 more")]
)
def test_at_most_50_features_are_shown(count, shown, more):
    page = read(version(drift=tuple(drift(f"f{i}", 0.1) for i in range(count))))
    assert len(page.rows) == shown + 1
    assert ("more" in page.text) == (more is not None)
    assert more is None or more in page.text


def test_a_row_of_features_has_all_its_numbers():
    told = drift(
        "age", 0.3, ks=0.25, mean_shift_sd=-1.5, missing_ratio=0.02, out_of_range_ratio=0.0, samples=1234.0
    )
    page = read(version(drift=(told,)))
    assert page.rows == [
        ["feature", "PSI", "KS", "mean shift, sd", "missing", "unseen", "out of range", "samples"],
        ["age", "0.300", "0.25", "-1.5", "2%", DASH, "0%", "1,234"],
    ]


def test_the_longest_window_that_is_covered_is_open():
    windows = tuple(
        row(WindowState, window=name, cohort="predicted", covered_ratio=ratio)
        for name, ratio in (("1h", 1.0), ("1d", 0.8), ("7d", 0.79))
    )
    rows = tuple(drift("age", 0.1, window=name) for name in ("1h", "1d", "7d"))
    text = render(view(version(windows=windows, drift=rows)))
    assert re.findall(r'<details id="(.*?)"( open)?>', text) == [
        ("drift-0-0", ""),
        ("drift-0-1", " open"),
        ("drift-0-2", ""),
    ]


def test_windows_say_how_much_they_hold_and_what_is_known():
    state = row(
        WindowState, window="1d", cohort="matured", samples=50.0, covered_ratio=0.5, span_seconds=90000.0
    )
    known = row(LabelState, window="1d", cohort="matured", coverage_ratio=0.25)
    page = read(version(windows=(state,), labels=(known,)))
    assert page.rows[1] == ["1d", "matured", "50", "50%", "1.04 d", "25%"]


def test_quality_has_the_columns_that_there_are():
    whole = row(Quality, window="1d", cohort="arrived", samples=200.0, accuracy=0.9, brier=0.1234)
    positive = row(ClassQuality, window="1d", cohort="arrived", precision=0.75)
    page = read(version(quality=(whole,), classes=(positive,)))
    assert page.rows == [
        ["window", "outcomes by", "samples", "accuracy", "precision", "brier"],
        ["1d", "arrived", "200", "90%", "75%", "0.123"],
    ]


def test_segments_have_their_own_table():
    part = row(
        Quality, window="1d", cohort="arrived", segment="plan", segment_value="enterprise", samples=9.0
    )
    recall = row(
        ClassQuality, window="1d", cohort="arrived", segment="plan", segment_value="enterprise", recall=0.5
    )
    page = read(version(quality=(part,), segment_classes=(recall,)))
    assert page.rows[1] == ["plan = enterprise, 1d", "arrived", "9", "50%"]


def test_value_has_its_currency_its_segments_and_the_threshold_that_would_have_paid_most():
    labels = {"window": "7d", "cohort": "matured"}
    whole = row(BusinessValue, **labels, samples=200.0, value=-1234.5, low=-2000.0, high=-469.0, mean=-6.17)
    part = row(BusinessValue, **labels, segment="plan", segment_value="pro", samples=9.0, value=10.0)
    best = row(
        BestThreshold, window="7d", samples=190.0, threshold=0.11, threshold_in_use=0.5,
        gain=300.0, gain_low=-20.0, gain_high=620.0,
    )  # fmt: skip
    info = row(ValueInfo, currency="<EUR>")
    page = read(
        version(value_info=(info,), value=(whole, part), segment_value=(part,), best_thresholds=(best,))
    )
    assert "Value in <EUR>" in page.text
    assert [line for line in page.rows if line[0] != "window"] == [
        ["7d", "matured", "200", "-1,234", "-2,000 to -469", "-6.17"],
        ["plan = pro, 7d", "matured", "9", "10", f"{DASH} to {DASH}", DASH],
        ["7d", "0.11", "0.5", "300", "-20 to 620", "190"],
    ]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("learning", "learning: records so far become the reference; nothing is compared yet"),
        ("provisional", "provisional: compared, but not yet judged"),
        ("unstable", "unstable: alternate days of it differ from each other"),
        ("frozen", "learned and frozen"),
        ("given", "given by a file"),
        ("<odd>", "<odd>"),
    ],
)
def test_the_reference_says_how_far_it_can_be_trusted(state, words):
    told = row(VersionState, model="m", model_version="1", reference_state=state)
    assert f"Reference {words}" in read(version(state=told)).text


def test_the_labels_of_a_version_are_told():
    told = row(
        VersionState,
        model="m",
        model_version="1",
        reference_state="given",
        label_delay_p50_seconds=7200.0,
        label_delay_p95_seconds=172800.0,
        clock_timestamp_seconds=1_350_000_000.0,
        pending=1500.0,
    )
    text = read(version(state=told)).text
    assert "label delay, median 2 h" in text
    assert "label delay, 95% 2 d" in text
    assert "the model's now 2012-10-12 00:00:00 UTC" in text
    assert "waiting for outcomes 1,500" in text


def test_notices_stand_newest_first_and_at_most_20():
    notices = tuple(Notice(float(i), "churn", f"sentence {i}.") for i in range(30))
    found = re.findall(r"sentence (\d+)\.", read(notices=notices).text)
    assert found == [str(i) for i in range(29, 9, -1)]


def test_a_degraded_part_is_named_and_a_well_one_is_not():
    parts = (Component("store", up=False, detail="the volume is full"), Component("intake", up=True))
    text = read(components=parts).text
    assert "Degraded store the volume is full" in text
    assert "intake the" not in text


def test_progress_is_a_bar():
    page = read(progress=Progress("bike-demand", 0.256))
    assert "bike-demand: 26%" in page.text
    assert ("value", "0.2560") in page.attributes
    assert "progress" not in read().tags


def test_readiness_is_told():
    assert (
        "not ready: state is being restored"
        in read(readiness=Readiness(False, "state is being restored")).text
    )


def test_the_time_of_the_evaluation_is_told():
    assert "evaluated 2026-01-01 00:00:00 UTC" in read(version()).text
    assert "evaluated never" in read().text


def everywhere(name: str) -> View:
    """A view in which every text is *name*."""

    def filled(kind):
        texts = {f.name: name for f in structs.fields(kind) if f.type is str}
        return row(kind, **texts)

    window = structs.replace(filled(WindowState), cohort=name)
    version_ = version(
        state=filled(VersionState),
        windows=(window,),
        drift=(filled(Drift), structs.replace(filled(Drift), feature="")),
        quality=(filled(Quality), structs.replace(filled(Quality), segment="")),
        classes=(filled(ClassQuality),),
        labels=(filled(LabelState),),
    )
    return view(
        version_,
        notices=(Notice(0.0, name, name),),
        components=(Component(name, up=False, detail=name),),
        readiness=Readiness(False, name),
        progress=Progress(name, 0.5),
        intake_address=name,
    )


def test_no_naughty_string_becomes_markup(data):
    strings = json.loads(gzip.decompress((data / "robustness" / "naughty_strings.json.gz").read_bytes()))
    expected = Reader(render(everywhere("plain"))).tags
    for text in [*strings, "<td><script>", "</main>", "$main", "${style}", "\ud800"]:
        page = render(everywhere(text or " "))
        page.encode()
        assert Reader(page).tags == expected, text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "&ndash;"),
        (0.0, "0"),
        (0.123456, "0.123"),
        (5.0, "5"),
        (1234.5, "1,234"),
        (1e300, "1e+300"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_are_for_people(value, shown):
    assert markup.number(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "&ndash;"), (0.0, "0 s"), (0.25, "0.25 s"), (90.0, "1.5 min"), (864000.0, "10 d")],
)
def test_durations_have_units(seconds, shown):
    assert markup.duration(seconds) == shown


@pytest.mark.parametrize("seconds", [None, 1e18, -1e18, float("inf"), float("nan")])
def test_a_moment_that_is_none_is_a_dash(seconds):
    assert markup.moment(seconds) == "&ndash;"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -float("inf")])
def test_a_number_that_is_none_does_not_break_the_page(value):
    assert {shown(value) for shown in (markup.number, markup.share, markup.duration)} == {"&ndash;"}
    assert read(version(drift=(drift("age", value),))).rows[1][1] == DASH


def test_detectors_on_the_errors_have_a_table_where_there_are_any():
    found = row(
        Detector, detector="adwin", state=2.0, detections=3.0, samples=4_000.0,
        last_detection_timestamp_seconds=1_767_225_600.0,
    )  # fmt: skip
    page = read(version(detectors=(found, row(Detector, detector="ddm"))))
    assert [
        "adwin",
        "drift, within the shortest window",
        "3",
        "2026-01-01 00:00:00 UTC",
        "4,000",
    ] in page.rows
    assert "Detectors on the errors" in page.text
    assert "Detectors on the errors" not in read(version()).text
