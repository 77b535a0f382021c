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

from driftgauge.monitor.watch import FROZEN_RECORDS, FROZEN_SPAN_SECONDS, PROVISIONAL_RECORDS
from driftgauge.snapshot import (
    EMPTY,
    BestThreshold,
    BinnedRecords,
    BusinessValue,
    ClassQuality,
    Detector,
    Distribution,
    Drift,
    DriftAgainst,
    Estimate,
    EstimatedValue,
    EstimateState,
    LabelState,
    Notice,
    OutcomeShift,
    Quality,
    QualityChange,
    QualityInterval,
    RelatedOutcomes,
    RelationShift,
    Reweighted,
    SchemaViolation,
    Snapshot,
    ValueInfo,
    Verdict,
    VerdictSummary,
    VersionComparison,
    VersionDrift,
    VersionSnapshot,
    VersionState,
    WindowOutcomes,
    WindowRecords,
    WindowState,
    WorstSegment,
)
from driftgauge.web.page import CONTENT_SECURITY_POLICY, Selection, View, asked, markup, render
from driftgauge.web.page.pages import Pages, accepts_gzip
from driftgauge.web.ports import Component, Progress, Readiness

DASH = "\N{EN DASH}"
VOID = {"meta", "link", "rect", "path", "circle", "input", "br"}
LOADING = {"src", "href", "action", "data", "poster", "srcset", "formaction"}
HEADS = {
    "feature", "window", "measure", "segment", "outcomes", "best threshold", "what", "detector", "bin", "against",
    "model",
}  # fmt: skip
ROWS = {
    "windows": WindowState, "quality": Quality, "classes": ClassQuality, "segment_classes": ClassQuality,
    "labels": LabelState, "verdict_summaries": VerdictSummary, "value_info": ValueInfo, "value": BusinessValue,
    "estimated_value": EstimatedValue, "best_thresholds": BestThreshold, "intervals": QualityInterval,
    "segment_intervals": QualityInterval, "reweighted": Reweighted, "detectors": Detector, "estimates": Estimate,
    "quality_changes": QualityChange,
}  # fmt: skip


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
        if {"td", "th"} & set(self.stack) and self.rows:
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


def verdict(feature: str, window: str = "1d", **more) -> Verdict:
    return row(Verdict, **({"feature": feature, "window": window, "state": "judged"} | more))


def table_of(page: Reader, first: str) -> list[list[str]]:
    """The rows below the head that begins with *first*."""
    (at,) = (i for i, cells in enumerate(page.rows) if cells and cells[0].removesuffix(" sorted") == first)
    width = len(page.rows[at])
    found = []
    for cells in page.rows[at + 1 :]:
        if len(cells) != width or cells[0] in HEADS:
            break
        found.append(cells)
    return found


def test_what_has_a_verdict_stands_first_then_what_moved_furthest():
    rows = (drift("calm", 0.01), drift("silent", None), drift("far", 0.4), drift("drifted", 0.15))
    taken = (verdict("drifted", drift=1.0), verdict("far", drift=0.0), verdict("calm", drift=0.0))
    page = read(version(drift=rows, verdicts=taken))
    assert [[cells[0], cells[2], cells[3]] for cells in table_of(page, "feature")] == [
        ["drifted", "drift", "0.150"],
        ["far", "no drift", "0.400"],
        ["calm", "no drift", "0.010"],
        ["silent", "short window", DASH],
    ]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("name", "a"),
        ("psi", "b"),
        ("ks", "c"),
        ("shift", "d"),
        ("missing", "e"),
        ("unseen", "f"),
        ("verdict", "b"),
    ],
)
def test_the_table_is_sorted_as_asked(sort, first):
    rows = (
        drift("a", 0.1), drift("b", 0.9), drift("c", 0.2, ks=0.9), drift("d", 0.2, mean_shift_sd=-3.0),
        drift("e", 0.2, missing_ratio=0.5), drift("f", 0.2, unseen_ratio=0.5),
    )  # fmt: skip
    page = Reader(render(view(version(drift=rows)), Selection(sort=sort)))
    assert table_of(page, "feature")[0][0] == first


@pytest.mark.parametrize(("count", "shown"), [(50, 50), (51, 50), (1000, 50)])
def test_50_features_are_listed_until_all_are_asked_for(count, shown):
    told = version(drift=tuple(drift(f"f{i}", 0.1) for i in range(count)))
    page = read(told)
    assert len(table_of(page, "feature")) == shown
    assert (f"list all {count:,}" in page.text) == (count > shown)
    assert len(table_of(Reader(render(view(told), Selection(every=True))), "feature")) == count


def test_a_part_of_a_name_finds_its_features():
    told = version(drift=tuple(drift(f"f{i}", 0.1) for i in range(1000)))
    page = Reader(render(view(told), Selection(search="F99")))
    assert [cells[0] for cells in table_of(page, "feature")] == ["f99", *(f"f{i}" for i in range(990, 1000))]
    assert "11 of 1,000" in page.text
    page = Reader(render(view(told), Selection(search="<nothing>")))
    assert "No feature has this in its name." in page.text
    assert ("value", "<nothing>") in page.attributes


def test_a_row_of_features_has_its_numbers():
    told = drift(
        "age", 0.3, ks=0.25, mean_shift_sd=-1.5, missing_ratio=0.02, unseen_ratio=0.0, samples=1234.0
    )
    page = read(version(drift=(told,)))
    (cells,) = table_of(page, "feature")
    assert cells[2:] == ["short window", "0.300", "0.25", "-1.50", "2.0%", "0", DASH]


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        ("judged", {"drift": 1.0}, "drift The distribution differs from the reference's, beyond chance."),
        ("judged", {"drift": 0.0, "beyond_reference": 1.0}, "beyond reference More than a tenth"),
        ("phi_unknown", {"beyond_reference": 1.0}, "beyond reference More than a tenth"),
        ("judged", {"drift": 0.0, "held_ratio": 0.4}, "seen, 40% A change is seen; it has held for 40%"),
        ("judged", {"drift": 0.0, "held_ratio": 0.0}, "no drift No change beyond chance"),
        ("few_samples", {}, "few records No verdict: there are too few records"),
        ("not_covered", {}, "not covered No verdict: the window is not yet covered for its whole length."),
        ("phi_unknown", {}, "swings unknown No verdict: the reference has fewer than 8 whole days"),
        ("waiting", {}, "waiting No verdict: no pane of this window has closed yet."),
        ("learning", {}, "learning No verdict: the reference is still being learned."),
        ("provisional", {}, "provisional No verdict: the reference is provisional"),
        ("unstable", {}, "unstable No verdict: alternate days of the reference differ"),
        ("identifier", {}, "identifier No verdict: every value of it is new"),
        ("<odd>", {}, "<odd>"),
    ],
)  # fmt: skip
def test_a_feature_says_its_verdict_or_why_there_is_none(state, more, words):
    taken = row(Verdict, **({"feature": "age", "window": "1d", "state": state} | more))
    assert words in read(version(drift=(drift("age", 0.3),), verdicts=(taken,))).text


def test_a_window_too_short_for_a_verdict_says_so():
    text = read(version(drift=(drift("age", 0.3),))).text
    assert "No verdict: windows under a day are shown, not judged." in text


def test_swings_too_large_for_any_verdict_are_told():
    taken = verdict("age", drift=0.0, overdispersion=500.0, critical_psi=95_000.0, smallest_shift_sd=300.0)
    text = read(version(drift=(drift("age", 5.0),), verdicts=(taken,))).text
    assert "PSI to be told none could be its swings are too large smallest shift told none" in text


def numeric(counts, before, **more) -> Distribution:
    """Of three coarse bins with an edge at 10 and at 20; missing last."""

    def binned(cells):
        *bins, missing = cells
        return BinnedRecords(sum(cells), tuple(bins), (*bins, *[0] * 7), missing, 0, 0, 0, None, None)

    given = {
        "feature": "age", "output": "", "kind": "numeric", "reference": "r", "edges": (10.0, 20.0),
        "coarse_edges": (10.0, 20.0), "low": 0.0, "high": 30.0, "categories": (),
        "reference_counts": binned(before), "windows": (WindowRecords("1d", binned(counts)),),
        "reference_outcomes": None, "outcomes": (),
    }  # fmt: skip
    return Distribution(**given | more)


class Drawn:
    """Distributions of one feature."""

    def __init__(self, found: Distribution) -> None:
        self.found = found

    def find(self, feature, output):
        return self.found if (feature, output) == (self.found.feature, self.found.output) else None

    def coarse(self, feature, output, window):
        found = self.find(feature, output)
        if found is None:
            return None
        sides = found.reference_counts, found.windows[0].counts
        return tuple([*each.coarse, each.missing, each.unseen] for each in sides)


def with_drawing(found: Distribution, **more) -> View:
    told = version(drift=(drift(found.feature, 0.3, kind=found.kind),), **more)
    shown = view(told)
    key = told.state.model, told.state.model_version
    return dataclasses.replace(
        shown, snapshot=dataclasses.replace(shown.snapshot, distributions={key: Drawn(found)})
    )


def bars(text: str, kind: str) -> dict[int, float]:
    """Heights of the bars of one class as shares of all, by bin."""
    plot, top = (float(re.search(rf'{name}="([\d.]+)"', text).group(1)) for name in ("data-plot", "data-top"))
    found = re.findall(rf'<rect class="{kind}" data-bin="(\d+)"[^>]*? height="([\d.]+)"', text)
    return {int(cell): float(height) / plot * top for cell, height in found}


def test_bars_are_as_high_as_the_shares_of_their_bins():
    text = render(with_drawing(numeric((10, 30, 50, 10), (50, 30, 20, 0))))
    assert bars(text, "c") == pytest.approx({0: 0.1, 1: 0.3, 2: 0.5, 10: 0.1}, abs=1e-3)
    assert bars(text, "r") == pytest.approx({0: 0.5, 1: 0.3, 2: 0.2, 10: 0.0}, abs=1e-3)
    page = Reader(text)
    assert table_of(page, "bin") == [
        ["up to 10", "50.0%", "10.0%", "0.644"],
        ["10 to 20", "30.0%", "30.0%", "0.000"],
        ["above 20", "20.0%", "50.0%", "0.275"],
        ["missing", "0.0%", "10.0%", "0.690"],
    ]


def test_categories_stand_by_name_and_unseen_ones_apart():
    found = numeric(
        (10, 30, 50, 0),
        (50, 30, 20, 0),
        kind="categorical",
        edges=(),
        coarse_edges=(),
        categories=("a", "<b>", "c"),
    )
    page = Reader(render(with_drawing(found)))
    assert [cells[0] for cells in table_of(page, "bin")] == ["a", "<b>", "c"]


def test_what_comes_out_by_bin_stands_beside_the_reference():
    before = RelatedOutcomes(("0", "1"), ((5, 5), (8, 2), (1, 9), *[(0, 0)] * 9), (None,) * 12)
    now = RelatedOutcomes(("0", "1"), ((1, 9), (8, 2), (1, 9), *[(0, 0)] * 9), (None,) * 12)
    moved = row(
        RelationShift, feature="age", window="1d", state="judged", verdict=1.0, bins=("0",), samples=30.0
    )
    found = numeric(
        (10, 30, 50, 0), (50, 30, 20, 0), reference_outcomes=before, outcomes=(WindowOutcomes("1d", now),)
    )
    page = Reader(render(with_drawing(found, relation_shifts=(moved,))))
    assert [cells[4:] for cells in table_of(page, "bin")] == [
        ["50.0%", "90.0%"],
        ["20.0%", "20.0%"],
        ["90.0%", "90.0%"],
    ]
    assert page.attributes.count(("class", "ring")) == 1
    assert "90.0% of 10, 95%: 59.6% to 98.2%" in page.text
    assert "What comes out, by bin changed" in page.text


def test_a_regressions_relation_is_its_mean_error():
    before = RelatedOutcomes((), ((5,), (8,), (1,), *[(0,)] * 9), (1.5, -2.0, 0.0, *[None] * 9))
    row_ = row(RelationShift, feature="age", window="1d", state="learning", bins=())
    found = numeric((10, 30, 50, 0), (50, 30, 20, 0), outcomes=(WindowOutcomes("1d", before),))
    page = Reader(render(with_drawing(found, relation_shifts=(row_,))))
    assert [cells[5] for cells in table_of(page, "bin")] == ["1.5", "-2", "0"]
    assert "No verdict: the reference's outcomes are still being learned." in page.text


@pytest.mark.parametrize(("chosen", "shown"), [("", "1d"), ("7d", "7d"), ("<9d>", "1d")])
def test_the_longest_window_that_is_covered_is_shown_until_another_is_chosen(chosen, shown):
    windows = tuple(
        row(WindowState, window=name, cohort="predicted", covered_ratio=ratio)
        for name, ratio in (("1h", 1.0), ("1d", 0.8), ("7d", 0.79))
    )
    rows = tuple(drift("age", 0.1, window=name) for name in ("1h", "1d", "7d"))
    text = Reader(render(view(version(windows=windows, drift=rows)), Selection(window=chosen))).text
    assert f"Features and outputs in the last {shown}, against the reference" in text


def test_the_model_that_moved_most_is_shown_until_another_is_chosen():
    calm = version("calm", drift=(drift("age", 0.1),))
    moved = version("moved", drift=(drift("age", 0.1),), verdicts=(verdict("age", drift=1.0),))
    shown = view(calm, moved)
    assert '<h2 id="version-title"><bdi>moved</bdi>' in render(shown)
    assert '<h2 id="version-title"><bdi>calm</bdi>' in render(shown, Selection(model="calm"))
    assert '<h2 id="version-title"><bdi>moved</bdi>' in render(shown, Selection(model="gone"))


def test_the_newest_version_is_shown_and_the_others_can_be_chosen():
    one, two = (
        version(state=row(VersionState, model="m", model_version=each, reference_state="frozen"))
        for each in ("v1", "v2")
    )
    text = render(view(one, two))
    assert '<a href="?model=m&amp;version=v2" aria-current="true"><bdi>v2</bdi></a>' in text
    assert '<a href="?model=m&amp;version=v1"><bdi>v1</bdi></a>' in text
    assert 'data-here="?model=m&amp;version=v1"' in render(view(one, two), Selection(model="m", version="v1"))


def test_the_address_says_what_is_shown():
    told = version("m & <n>", drift=(drift("a=b", 0.3), drift("", 0.1)), verdicts=(verdict("", drift=1.0),))
    here = re.search('data-here="(.*?)"', render(view(told))).group(1)
    assert here == "?model=m+%26+%3Cn%3E&amp;version=v1"
    here = re.search('data-here="(.*?)"', render(view(told), Selection(feature="", window="1d"))).group(1)
    assert here == "?model=m+%26+%3Cn%3E&amp;version=v1&amp;window=1d&amp;feature="
    chosen = asked({"model": "m & <n>", "feature": "a=b", "sort": "psi", "search": "x", "every": "1"})
    assert chosen == Selection(model="m & <n>", feature="a=b", sort="psi", search="x", every=True)
    assert asked({"sort": "<b>", "every": "no"}) == Selection()


def test_the_feature_that_moved_most_is_drawn_and_while_none_has_the_first_one():
    rows = (
        row(Drift, output="score", window="1d", psi=0.9),
        drift("first", 0.1),
        drift("far", 0.8),
        drift("x", 0.4),
    )
    title = '<h3 id="feature-title"><bdi>'
    assert f"{title}first" in render(view(version(drift=rows)))
    taken = (verdict("x", drift=1.0), row(Verdict, output="score", window="1d", state="judged", drift=1.0))
    assert f"{title}x" in render(view(version(drift=rows, verdicts=taken)))
    assert f"{title}far" in render(view(version(drift=rows, verdicts=taken)), Selection(feature="far"))
    assert f"{title}score" in render(view(version(drift=rows, verdicts=taken)), Selection(output="score"))


def test_windows_say_how_much_they_hold_and_what_is_known():
    now, matured = (
        row(WindowState, window="1d", cohort=cohort, samples=samples, covered_ratio=0.5)
        for cohort, samples in (("predicted", 60.0), ("matured", 50.0))
    )
    known = row(LabelState, window="1d", cohort="matured", coverage_ratio=0.25)
    summary = row(VerdictSummary, window="1d", state="not_covered", judged_features=0.0)
    page = read(version(windows=(now, matured), labels=(known,), verdict_summaries=(summary,)))
    assert table_of(page, "window") == [["1d", "60", "50%", DASH, "50", "25%", "not judged: not covered"]]


def test_windows_say_how_many_features_moved():
    summary = row(VerdictSummary, window="1d", state="judged", judged_features=7.0)
    taken = (
        verdict("a", drift=1.0),
        verdict("b", drift=0.0, beyond_reference=1.0),
        row(Verdict, output="score", window="1d", state="judged", drift=1.0),
    )
    page = read(version(drift=(drift("a", 0.3),), verdicts=taken, verdict_summaries=(summary,)))
    assert table_of(page, "window")[0][-1] == "2 of 7 features and the score"


def test_quality_has_the_measures_that_there_are_with_their_intervals():
    came = row(Quality, window="1d", cohort="arrived", samples=200.0, accuracy=0.9, brier=0.1234)
    matured = row(Quality, window="1d", cohort="matured", samples=150.0, accuracy=0.88)
    positive = row(ClassQuality, window="1d", cohort="arrived", precision=0.75)
    of_class = row(ClassQuality, window="1d", cohort="arrived", class_="b", precision=0.1)
    ends = row(QualityInterval, window="1d", cohort="arrived", accuracy_low=0.85, accuracy_high=0.95)
    estimate = row(Estimate, window="1d", state="given", samples=300.0, accuracy=0.8, accuracy_error=0.01)
    again = row(Reweighted, window="1d", cohort="matured", accuracy=0.87)
    change = row(QualityChange, window="1d", accuracy=-0.02, accuracy_low=-0.03, accuracy_high=-0.01)
    page = read(
        version(
            windows=(row(WindowState, window="1d", cohort="predicted", covered_ratio=1.0),),
            quality=(came, matured), classes=(positive, of_class), intervals=(ends,),
            estimates=(estimate,), reweighted=(again,), quality_changes=(change,),
        )
    )  # fmt: skip
    assert next(cells for cells in page.rows if cells[0] == "measure")[2:] == [
        "came in200 outcomes", "matured150 outcomes", "reweightedto all records", "estimated300 predictions",
        "changefrom reference",
    ]  # fmt: skip
    assert table_of(page, "measure") == [
        [
            "accuracy",
            "",
            "90.0% 85.0 to 95.0%",
            "88.0%",
            "87.0%",
            "80.0% 78.0 to 82.0%",
            "-2.0% -3.0 to -1.0%",
        ],
        ["precision", "", "75.0%", DASH, DASH, DASH, DASH],
        ["Brier score", "", "0.123", DASH, DASH, DASH, DASH],
    ]


@pytest.mark.parametrize("state", [each for each in EstimateState if each != EstimateState.GIVEN])
def test_where_nothing_is_estimated_the_reason_is_told(state):
    came = row(Quality, window="1d", cohort="arrived", samples=200.0, accuracy=0.9)
    refused = row(Estimate, window="1d", state=state)
    text = read(version(drift=(drift("age", 0.1),), quality=(came,), estimates=(refused,))).text
    assert re.search("No estimate: [a-z0-9%, ]{20,}[.]", text)


def test_segments_stand_beside_the_whole_model_and_the_costliest_is_marked():
    labels = {"window": "1d", "cohort": "arrived"}
    whole = row(Quality, **labels, samples=90.0, accuracy=0.9)
    part = row(Quality, **labels, segment="plan", segment_value="<pro>", samples=9.0, accuracy=0.5)
    recall = row(ClassQuality, **labels, segment="plan", segment_value="<pro>", recall=0.25)
    ends = row(
        QualityInterval, **labels, segment="plan", segment_value="<pro>", accuracy_low=0.2, accuracy_high=0.8
    )
    worst = row(WorstSegment, **labels, accuracy_segment="plan", accuracy_segment_value="<pro>")
    page = read(
        version(
            drift=(drift("age", 0.1),), quality=(whole, part), segment_classes=(recall,), segment_intervals=(ends,),
            worst_segments=(worst,),
        )
    )  # fmt: skip
    assert table_of(page, "segment") == [
        ["whole model", "90", "90.0%", DASH],
        ["plan = <pro> costs most accuracy", "9", "50.0% 20.0 to 80.0%", "25.0%"],
    ]


def test_value_has_its_currency_its_estimate_and_the_threshold_that_would_have_paid_most():
    labels = {"window": "7d", "cohort": "matured"}
    whole = row(BusinessValue, **labels, samples=200.0, value=-1234.5, low=-2000.0, high=-469.0, mean=-6.17)
    expected = row(EstimatedValue, window="7d", samples=50.0, value=10.0, low=5.0, high=15.0, mean=0.2)
    best = row(
        BestThreshold, window="7d", samples=190.0, threshold=0.11, threshold_in_use=0.5,
        gain=300.0, gain_low=-20.0, gain_high=620.0,
    )  # fmt: skip
    page = read(
        version(
            drift=(drift("age", 0.1, window="7d"),), value_info=(row(ValueInfo, currency="<EUR>"),),
            value=(whole,), estimated_value=(expected,), best_thresholds=(best,),
        )
    )  # fmt: skip
    assert "Value in <EUR>" in page.text
    assert "a record's value" in page.text
    assert "a record's value" not in read(version(drift=(drift("age", 0.1),))).text
    assert table_of(page, "outcomes") == [
        ["matured", "200", "-1,234", "-2,000 to -469", "-6.17"],
        ["estimated", "50", "10", "5 to 15", "0.2"],
    ]
    assert table_of(page, "best threshold") == [["0.110", "0.500", "300", "-20 to 620", "190"]]


def test_a_version_stands_beside_the_one_before_it():
    compared = row(
        VersionComparison, against_version="<v0>", window="1d", samples=200.0, against_samples=100.0,
        feature_psi_max=0.25, accuracy_difference=-0.05, accuracy_difference_low=-0.08,
        accuracy_difference_high=-0.02, accuracy_difference_p=0.001,
    )  # fmt: skip
    page = read(version(drift=(drift("age", 0.1),), comparisons=(compared,)))
    assert "Against version <v0> in the last 1d" in page.text
    assert table_of(page, "what")[2:] == [
        ["largest PSI of a feature", "0.250", DASH, DASH],
        ["accuracy, difference", "-0.05", "-0.08 to -0.02", "0.001"],
    ]


def test_what_broke_the_schema_is_told():
    broken = row(SchemaViolation, feature="age", violation="wrong_type", values=3.0)
    page = read(
        version(schema=(broken, row(SchemaViolation, feature="age", violation="missing", values=0.0)))
    )
    assert table_of(page, "feature") == [["age", "wrong_type", "3"]]


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


def test_while_the_reference_is_learned_it_says_what_that_takes():
    told = row(
        VersionState, model="m", model_version="1", reference_state="learning", features=1.0, task="binary"
    )
    text = read(version(state=told)).text
    assert "binary, 1 feature. Reference learning" in text
    assert f"From {PROVISIONAL_RECORDS:,} of them on features are compared" in text
    assert f"from {FROZEN_RECORDS:,} in {FROZEN_SPAN_SECONDS / 86_400:.0f} days on they are judged" in text


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


def test_notices_stand_newest_first_and_at_most_40():
    notices = tuple(Notice(float(i), "churn", f"sentence {i}.") for i in range(60))
    found = re.findall(r"sentence (\d+)\.", read(notices=notices).text)
    assert found == [str(i) for i in range(59, 19, -1)]


def test_sentences_are_about_the_model_that_is_shown_until_all_are_asked_for():
    notices = (
        Notice(0.0, "churn", "it moved."),
        Notice(0.0, "fraud", "it stayed."),
        Notice(0.0, "", "all began."),
    )
    shown = view(version("churn"), version("fraud"), notices=notices)
    one = Reader(render(shown, Selection(model="churn"))).text
    assert "it moved." in one
    assert "all began." in one
    assert "it stayed." not in one
    everything = Reader(render(shown, Selection(model="churn", told=True))).text
    assert re.search("all began. .*fraud it stayed. .*churn it moved.", everything)
    assert "Nothing yet." in Reader(render(view(version("churn"), version("fraud")))).text


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
    """A view of two versions in which every text is *name*."""

    def filled(kind, **more):
        found = {f.name: name for f in structs.fields(kind) if f.type is str}
        return row(kind, **found | more)

    rows = {
        f.name: (filled(ROWS[f.name]),)
        for f in dataclasses.fields(VersionSnapshot)
        if f.name in ROWS
    }  # fmt: skip
    numbers = {"cohort": "arrived", "samples": 5.0, "accuracy": 0.5}
    parts = rows | {
        "drift": (filled(Drift, output="", psi=0.3), filled(Drift, feature="")),
        "verdicts": (filled(Verdict, output=""),),
        "quality": (filled(Quality, segment="", segment_value="", **numbers), filled(Quality, **numbers)),
        "relation_shifts": (filled(RelationShift, bins=("3",)),),
        "worst_segments": (filled(WorstSegment, cohort="arrived"),),
        "schema": (filled(SchemaViolation, values=1.0),),
        "comparisons": (filled(VersionComparison, accuracy_difference=0.1),),
        "outcome_shifts": (filled(OutcomeShift, log_odds=0.1),),
        "against": (filled(DriftAgainst, output=""),),
        "version_drift": (filled(VersionDrift, output=""),),
    }
    one = version(state=filled(VersionState), **parts)
    other = version(state=filled(VersionState, model_version=name + "2"))
    found = numeric(
        (10, 30, 50, 0), (50, 30, 20, 0), feature=name, kind="categorical", edges=(), coarse_edges=(),
        categories=(name, "b", "c"), outcomes=(WindowOutcomes(name, RelatedOutcomes((name,), ((5,),) * 12, ())),),
    )  # fmt: skip
    counts = found.windows[0].counts
    drawn = Drawn(dataclasses.replace(found, windows=(WindowRecords(name, counts),)))
    shown = view(
        one,
        other,
        notices=(Notice(0.0, name, name),),
        components=(Component(name, up=False, detail=name),),
        readiness=Readiness(False, name),
        progress=Progress(name, 0.5),
        intake_address=name,
    )
    snapshot = dataclasses.replace(shown.snapshot, distributions={(name, name): drawn})
    return dataclasses.replace(shown, snapshot=snapshot)


def tags_of_a_page_named(text):
    """The tags of a page with *text* in every place; one for an empty name, which is told in words of its own."""
    # Every row of a search is shown.
    page = render(everywhere(text), Selection(model=text, version=text, search=text))
    page.encode()
    return [tag for tag in Reader(page).tags if tag not in {"bdi", "span"}]


@pytest.mark.parametrize(
    "text", ["<td><script>", "</main>", '"><b>', "'", "&lt;", "$main", "${style}", "\ud800"]
)
def test_no_text_becomes_markup(text):
    assert tags_of_a_page_named(text) == tags_of_a_page_named("plain")


@pytest.mark.slow
def test_no_naughty_string_becomes_markup(data):
    strings = json.loads(gzip.decompress((data / "robustness" / "naughty_strings.json.gz").read_bytes()))
    expected = tags_of_a_page_named("plain")
    for text in strings:
        assert tags_of_a_page_named(text or " ") == expected, text


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
    page = read(version(drift=(drift("age", value),)))
    assert table_of(page, "feature")[0][3] == DASH


def test_detectors_on_the_errors_have_a_table_where_there_are_any():
    found = row(
        Detector, detector="adwin", state=2.0, detections=3.0, samples=4_000.0,
        last_detection_timestamp_seconds=1_767_225_600.0,
    )  # fmt: skip
    page = read(version(detectors=(found, row(Detector, detector="ddm"))))
    assert table_of(page, "detector")[0] == [
        "adwin", "drift, within the shortest window", "3", "2026-01-01 00:00:00 UTC", "4,000",
    ]  # fmt: skip
    assert "Detectors of changes in the errors" not in read(version()).text


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate, br", True), ("GZIP", True), ("br, gzip;q=0.5", True), ("gzip; q=1.0", True),
        ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.000", False), ("gzipped", False),
    ],
)  # fmt: skip
def test_gzip_is_sent_to_those_who_take_it(header, accepted):
    assert accepts_gzip(header) == accepted


def test_it_is_served_compressed(served):
    plain = served.get("/", door="observation")
    reply = served.get("/", door="observation", **{"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Content-Encoding"] is None
    assert plain.headers["Vary"] == reply.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(reply.body) == plain.body


def test_a_page_is_made_once_an_evaluation(monkeypatch):
    made = []
    monkeypatch.setattr("driftgauge.web.page.pages.render", lambda view, chosen: made.append(chosen) or "x")
    pages, shown = Pages(), view(version())
    for _ in range(3):
        assert pages.body(shown, Selection(), compressed=False) == b"x"
    assert gzip.decompress(pages.body(shown, Selection(), compressed=True)) == b"x"
    again = dataclasses.replace(shown, readiness=Readiness(True))
    pages.body(again, Selection(), compressed=False)
    assert len(made) == 2
    for changed in ({"progress": Progress("x", 0.5)}, {"notices": (Notice(0.0, "", "new"),)}):
        pages.body(dataclasses.replace(again, **changed), Selection(), compressed=False)
    pages.body(view(version()), Selection(), compressed=False)
    assert len(made) == 5
    for place in range(100):
        pages.body(shown, Selection(search=str(place)), compressed=False)
    assert len(pages._made) == 32
