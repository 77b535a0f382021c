"""The page in a real browser, on a sidecar into which the demo's records went."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from tests.e2e.browser import browser as opened
from tests.e2e.harness import Http, free_port, poll

from driftgauge import reference as references
from driftgauge.sketches.learning import Learning

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# 40 days a second; the demo itself takes twelve.
TIME_SCALE = 40 * 86_400
MODELS = ("bike-demand", "car-loan", "churn")
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 100);
})"""


@pytest.fixture(scope="module")
def browser(require_tool):
    with opened(require_tool("chromium")) as found:
        yield found


@dataclass
class Demo:
    """The demo after its replay, and what a tab saw that was open all the while."""

    http: Http
    address: str
    seen: dict = field(default_factory=dict)

    def url(self, **chosen):
        return f"{self.address}?{urlencode(chosen)}"

    def feature(self, model, name, kind="features"):
        return self.http.json(f"/v1/models/{quote(model)}/{kind}/{quote(name)}")


@pytest.fixture(scope="module")
def demo(browser, tmp_path_factory):
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "driftgauge", "demo", f"--time-scale={TIME_SCALE}"),
            *("--listen=127.0.0.1:0", f"--metrics-listen=127.0.0.1:{port}"),
        ],
        stdout=subprocess.DEVNULL,
        cwd=tmp_path_factory.mktemp("demo"),
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    found = Demo(Http(f"127.0.0.1:{port}"), f"http://127.0.0.1:{port}/")
    try:
        poll(lambda: found.http.get("/healthz")[0] == 200, "no door")
        known = {}

        def compared():
            known["models"] = {v["model"]: v["features"] for v in found.http.json("/v1/models")["versions"]}
            return len(known["models"]) == len(MODELS) and "data-bin" in found.http.text("/?model=car-loan")

        poll(compared, "nothing is compared")
        with browser.tab() as tab:
            tab.open(found.url(model="car-loan"))
            before = tab.text("#state")
            poll(lambda: over(found, tab), "the replay isn't over", seconds=600)
            found.seen = {
                "shift": tab.ask(SHIFTS),
                "complaints": tab.complaints,
                "states": (before, tab.text("#state")),
                "feature": tab.text("#feature-title"),
            }
        yield found
    finally:
        process.kill()
        process.wait()


def over(demo, tab):
    tab.page.wait_for_timeout(250)
    progress = demo.http.json("/v1/models")["progress"]
    return progress is not None and progress["done"] == 1


@pytest.mark.parametrize("model", MODELS)
def test_it_asks_nobody_else_and_complains_of_nothing(browser, demo, model):
    with browser.tab(clock=True) as tab:
        tab.open(demo.url(model=model)).refreshed()
        assert tab.text("#version-title").startswith(model)
        assert len(tab.asked) >= 3
        assert all(url.startswith((demo.address, "data:")) for url in tab.asked)
        assert tab.complaints == []


def test_nothing_jumps_while_it_refreshes(demo):
    assert demo.seen["complaints"] == []
    first, last = demo.seen["states"]
    assert first != last
    # Up to 0.1 counts as good (web.dev, Cumulative Layout Shift); this is of the whole replay.
    assert demo.seen["shift"] < 0.1


def test_drift_is_told_where_it_is_and_not_where_it_is_not(browser, demo):
    with browser.tab() as tab:
        tab.open(demo.url(model="car-loan", window="30d"))
        rows = {cells[0].split("\n")[0]: cells for cells in table(tab, ".features")}
        assert {name: cells[2] for name, cells in rows.items()} == {
            "car_value": "drift", "loan_length": "drift", "repaid_loan_on_prev_car": "drift", "salary_range": "drift",
            "score the model's": "drift", "prediction the model's": "no drift", "debt_to_income_ratio": "no drift",
            "driver_tenure": "no drift", "size_of_downpayment": "no drift",
        }  # fmt: skip
        assert next(iter(rows)) == "car_value"
        assert tab.text("#feature .verdict").startswith("drift")
        tab.page.click(".features bdi:text-is('debt_to_income_ratio')")
        tab.page.wait_for_selector("#feature-title:has-text('debt_to_income_ratio')")
        assert tab.text("#feature .verdict").startswith("no drift")
        assert "feature=debt_to_income_ratio" in tab.page.url


def test_a_window_without_a_verdict_says_why(browser, demo):
    with browser.tab() as tab:
        tab.open(demo.url(model="car-loan", window="7d"))
        assert {cells[2] for cells in table(tab, ".features")} == {"few records"}
        assert "No verdict: there are too few records in the window: it takes 100." in tab.text("#feature")


def test_quality_stands_with_its_interval(browser, demo):
    (version,) = demo.http.json("/v1/models/car-loan")["versions"]
    of_window = {"window": "30d", "cohort": "arrived"}
    quality, ends = (
        next(row for row in version[part] if of_window.items() <= row.items())
        for part in ("quality", "intervals")
    )
    with browser.tab() as tab:
        tab.open(demo.url(model="car-loan", window="30d"))
        accuracy = next(cells for cells in table(tab, ".quality") if cells[0] == "accuracy")
        low, high = ends["accuracy_low"], ends["accuracy_high"]
        assert accuracy[2].split("\n") == [
            f"{quality['accuracy']:.1%}", f"{100 * low:.1f} to {high:.1%}"
        ]  # fmt: skip
        assert f"{quality['samples']:,.0f} outcomes" in tab.text(".quality thead")
        # In September 2012 the model's error is what it is by no chance; R2 stands with its interval too.
        tab.open(demo.url(model="bike-demand", window="30d"))
        r2 = next(cells for cells in table(tab, ".quality") if cells[0] == "R2")
        assert re.fullmatch(r"-?\d\.\d{3}\n-?\d\.\d{3} to -?\d\.\d{3}", r2[2])


@pytest.mark.parametrize(
    ("model", "kind", "name"),
    [
        ("car-loan", "features", "car_value"),
        ("car-loan", "features", "salary_range"),
        ("car-loan", "outputs", "score"),
        ("bike-demand", "features", "season"),
        ("churn", "features", "user_login_frequency"),
    ],
)
def test_the_bars_are_the_apis_numbers(browser, demo, model, kind, name):
    told = demo.feature(model, name, kind)["distribution"]
    now = next(each["counts"] for each in told["windows"] if each["window"] == "30d")
    with browser.tab() as tab:
        tab.open(demo.url(**{"model": model, "window": "30d", kind.removesuffix("s"): name}))
        scale = tab.page.locator("#feature svg[data-top]").first
        top, plot = (float(scale.get_attribute(each)) for each in ("data-top", "data-plot"))
        for mark, counts in (("r", told["reference_counts"]), ("c", now)):
            bins = [*counts["coarse"], counts["missing"], counts["not_finite"] + counts["unseen"]]
            drawn = tab.ask(
                """(kind) => Object.fromEntries([...document.querySelectorAll(`#feature rect.${kind}`)].map(
                  (bar) => [bar.dataset.bin, [+bar.getAttribute("height"), bar.getBoundingClientRect().height]]))""",
                mark,
            )
            assert sum(bins) == counts["records"]
            for place, count in enumerate(bins):
                share = count / sum(bins)
                height, pixels = drawn.pop(str(place), [0, 0])
                assert height / plot * top == pytest.approx(share, abs=2e-4)
                assert (pixels > 0) == (height > 0)
            assert drawn == {}


def test_every_fine_bin_is_told_and_adds_up(demo):
    told = demo.feature("car-loan", "car_value")["distribution"]
    for counts in (told["reference_counts"], *(each["counts"] for each in told["windows"])):
        assert len(counts["fine"]) == len(told["edges"]) + 1 == 88
        assert sum(counts["fine"]) == sum(counts["coarse"])
    assert len(told["coarse_edges"]) == 9
    assert set(told["coarse_edges"]) < set(told["edges"])


def test_it_follows_the_readers_colour_scheme(browser, demo):
    pictures = []
    for dark in (False, True):
        with browser.tab(dark=dark) as tab:
            tab.open(demo.url(model="car-loan"))
            pictures.append(tab.page.screenshot())
            assert tab.ask(CONTRASTS) == []
    assert pictures[0] != pictures[1]


# Texts whose contrast with what they stand on is below WCAG's AA: 4.5, or 3 where they are large.
CONTRASTS = """() => {
  const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const found = colour(getComputedStyle(node).backgroundColor);
      if (found[3] !== 0) return found;
    }
    return [255, 255, 255];
  };
  const faint = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || ["SCRIPT", "STYLE", "TITLE", "title"].includes(node.nodeName) || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    const ink = colour(node.closest("svg") ? style.fill : style.color);
    const [high, low] = [light(ink), light(ground(node.closest("svg") || node))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) faint.add(`${node.className} ${node.textContent} ${ratio}`);
  }
  return [...faint];
}"""


@pytest.mark.parametrize("model", MODELS)
def test_nobody_scrolls_sideways(browser, demo, model):
    with browser.tab() as tab:
        tab.open(demo.url(model=model))
        for width in (390, 768, 1440):
            tab.page.set_viewport_size({"width": width, "height": 1000})
            assert tab.ask("document.documentElement.clientWidth") == width
            assert tab.ask("document.documentElement.scrollWidth") <= width


def test_tables_have_captions_and_headings_and_drawings_have_words(browser, demo):
    with browser.tab() as tab:
        tab.open(demo.url(model="car-loan"))
        missing = tab.ask(
            """() => [
              ...[...document.querySelectorAll("table")].filter((t) => !t.caption || !t.caption.textContent),
              ...document.querySelectorAll("thead th:not([scope=col]), tbody th:not([scope=row])"),
              ...[...document.querySelectorAll("svg:not([aria-hidden])")].filter((s) => !s.getAttribute("aria-label")),
              ...[...document.querySelectorAll("[aria-labelledby]")].filter(
                (s) => !document.getElementById(s.getAttribute("aria-labelledby"))),
              ...[...document.querySelectorAll("input:not([type=hidden])")].filter((i) => !i.labels.length),
            ].map((node) => node.outerHTML.slice(0, 200))"""
        )
        assert missing == []
        same = tab.ask("() => [...document.querySelectorAll('[id]')].map((node) => node.id)")
        assert len(same) == len(set(same))
        # A drawing is a picture to a screen reader; its numbers stand in the table that follows.
        tab.page.click("#numbers summary")
        assert len(table(tab, "#numbers table")) == 10


def test_it_is_worked_by_the_keyboard(browser, demo):
    with browser.tab(clock=True) as tab:
        tab.open(demo.url(model="car-loan", window="30d"))
        tab.page.keyboard.press("Tab")
        assert tab.ask("document.activeElement.className") == "skip"
        tab.page.focus("#search")
        tab.page.keyboard.type("driver")
        tab.page.clock.fast_forward(200)  # it waits until the typing ends
        tab.page.wait_for_selector("#count:has-text('1 of 9')")
        assert [cells[0] for cells in table(tab, ".features")] == ["driver_tenure"]
        assert tab.ask("document.activeElement.id") == "search"
        while tab.ask("document.activeElement.textContent") != "driver_tenure":
            tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector("#feature-title:has-text('driver_tenure')")
        assert tab.ask("document.activeElement.textContent") == "driver_tenure"
        assert tab.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        tab.refreshed()
        # A refresh takes nothing away from the reader.
        assert tab.ask("document.activeElement.textContent") == "driver_tenure"
        assert tab.page.input_value("#search") == "driver"
        assert tab.text("#feature-title").startswith("driver_tenure")


def test_without_scripts_it_is_all_there(browser, demo):
    with browser.tab(scripts=False) as tab:
        tab.open(demo.url(model="car-loan", window="30d"))
        assert any("car_value moved" in sentence for sentence in tab.texts(".sentences li"))
        assert len(table(tab, ".features")) == 9
        assert tab.page.locator("#feature rect.c").count() == 10
        tab.page.fill("#search", "tenure")
        tab.page.click("text=Find >> nth=-1")
        assert [cells[0] for cells in table(tab, ".features")] == ["driver_tenure"]
        tab.page.click(".features bdi:text-is('driver_tenure')")
        assert tab.text("#feature-title").startswith("driver_tenure")
        tab.page.click("th a:text-is('7d')")
        assert "last 7d" in tab.text("#feature-title")
        tab.page.click("th bdi:text-is('churn')")
        assert tab.text("#version-title").startswith("churn")


def reference(tmp_path, names, categories=("a", "b", "c")):
    """A reference file of *names*: the even ones numbers, the odd ones texts of *categories*."""
    rng = np.random.default_rng(1)
    numbers, texts = names[::2], names[1::2]
    row = Learning(len(names)).row(
        tuple("f:" + name for name in numbers),
        rng.normal(size=(len(numbers), 400)),
        {"f:" + name: [categories[i % len(categories)] for i in range(400)] for name in texts},
        400,
        dict.fromkeys(("f:" + name for name in numbers), 0.0),
    )
    built = references.build({0: row}, first=0.0, last=86_400.0, declared={}, category_limit=50)
    path = tmp_path / "reference.json"
    path.write_bytes(references.to_json(built))
    return str(path)


def columns(names, categories=("a", "b", "c"), records=120):
    """The last number's feature moved."""
    rng = np.random.default_rng(2)
    numbers = {name: rng.normal(size=records).tolist() for name in names[::2]}
    numbers[names[::2][-1]] = rng.normal(2, 1, records).tolist()
    return numbers | {name: [categories[i % len(categories)] for i in range(records)] for name in names[1::2]}


def sidecar(started, tmp_path, names, *, categories=("a", "b", "c"), version="1", **more):
    """A process that compares one model with a reference of *names*; its page's address."""
    path = reference(tmp_path, names, categories)
    process = started(
        intake={"linger": "0ms"},
        evaluate="2s",
        defaults={"windows": ["1h"], "task": "binary"},
        models={"m": {"reference": path}},
        **more,
    )
    cells = {"score": [0.5] * 120, "features": columns(names, categories)}
    body = {"model": "m", "model_version": version, "columns": cells}
    status, _, answer = process.http.post("/v1/predictions", body)
    assert (status, answer["accepted"]) == (200, 120), answer
    poll(lambda: "data-bin" in process.http.text("/"), "nothing is compared")
    return process, f"http://{process.addresses['observation']}/"


@pytest.fixture(scope="module")
def strings(data):
    with gzip.open(data / "robustness" / "naughty_strings.json.gz") as file:
        found = json.load(file)
    more = ["</script><script>alert(1)</script>", "<td><img src=x onerror=alert(1)>", "\x00a", "\u202eabc"]
    return [text for text in dict.fromkeys([*found, *more]) if len(text) <= 128]


def test_hostile_names_are_texts(browser, started, tmp_path, strings):
    """515 naughty strings as features and categories: nothing runs, and each stands there as itself."""
    _, address = sidecar(
        started, tmp_path, strings, categories=strings[:40], version=strings[-1], limits={"features": 1000}
    )
    with browser.tab() as tab:
        tab.open(address + "?every=1&sort=name")
        names = tab.ask(
            "() => [...document.querySelectorAll('.features tbody th a')].map((a) => a.textContent)"
        )
        assert sorted(names) == sorted(map(seen, strings))
        hostile = [each for each in strings if each.startswith(("<script>", "<img", "</script>", "<td>"))]
        for text in hostile[::10]:
            tab.page.locator(".features tbody th a").nth(names.index(seen(text))).click()
            tab.page.wait_for_function(
                "(name) => document.querySelector('#feature-title bdi')?.textContent === name", arg=seen(text)
            )
            assert tab.page.locator("#feature svg[data-top]").count() == 1
        tab.page.fill("#search", "<img src=x")
        tab.page.wait_for_function("() => / of /.test(document.querySelector('#count').textContent)")
        assert all("<img src=x" in cells[0] for cells in table(tab, ".features"))
        assert (
            tab.ask("document.querySelectorAll('main script, main img, main iframe, main style').length") == 0
        )
        assert tab.complaints == []
        assert all(url.startswith((address, "data:")) for url in tab.asked)
        assert tab.ask("document.documentElement.scrollWidth") <= 1440


def seen(text):
    """A name as the page shows it: what has no visible form by its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) or "(empty)"


@pytest.mark.parametrize("count", [25, 200, 1000])
def test_many_features_stay_usable(browser, started, tmp_path, count):
    names = [f"feature_{i:04}" for i in range(count)]
    process, address = sidecar(started, tmp_path, names)
    with browser.tab() as tab:
        tab.open(address)
        assert len(table(tab, ".features")) == min(count, 50)
        moved = names[::2][-1]
        assert table(tab, ".features")[0][0] == moved
        tab.page.fill("#search", "0007")
        tab.page.wait_for_function("() => document.querySelectorAll('.features tbody tr').length === 1")
        tab.page.fill("#search", "")
        tab.page.wait_for_function("() => document.querySelectorAll('.features tbody tr').length > 1")
        if count > 50:
            tab.page.click(f"text=list all {count:,}")
            tab.page.wait_for_function(
                "(n) => document.querySelectorAll('.features tbody tr').length === n", arg=count
            )
        assert tab.complaints == []
    # Whatever there is, the first page is small.
    _, headers, body = process.http("GET", "/", headers={"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < 20_000
    assert len(gzip.decompress(body)) < 80_000


def table(tab, selector):
    """The rows of a table's body as texts."""
    script = """(rows) => [...document.querySelectorAll(rows)].map(
      (row) => [...row.querySelectorAll("th,td")].map((cell) => cell.innerText.trim()))"""
    return tab.ask(script, f"{selector} tbody tr")
