"""Drawings: marks stand where their numbers say."""

import math
import re

import pytest

from driftgauge.web.page.charts import Column, Mark, dots, histogram, intervals, shortened, spark


def columns(*shares, edges=None):
    ends = edges or [None] * len(shares)
    return [
        Column(place, "" if edges else f"c{place}", edge, f"bin {place}", share, share / 2)
        for place, (share, edge) in enumerate(zip(shares, ends, strict=True))
    ]


def ticks(svg):
    return re.findall(r'<text class="tick(?: odd)?"[^>]*text-anchor="middle">(.*?)</text>', svg)


@pytest.mark.parametrize(
    ("highest", "top"), [(1.0, 1.0), (0.51, 0.6), (0.30, 0.3), (0.012, 0.015), (0.0, 1.0)]
)
def test_the_scale_ends_at_a_round_share_that_holds_the_highest_bar(highest, top):
    svg = histogram(columns(highest, 0.0), "x")
    assert f'data-top="{top}"' in svg
    assert svg.count("<rect") == 4


def test_edges_have_the_digits_that_tell_them_apart():
    edges = [15_400.0, 15_440.0, 20_000.0, None]
    assert ticks(histogram(columns(0.25, 0.25, 0.25, 0.25, edges=edges), "x")) == ["15.4k", "15.44k", "20k"]
    assert ticks(histogram(columns(0.5, 0.3, 0.2, edges=[0.1, 0.25, None]), "x")) == ["0.1", "0.25"]
    assert ticks(histogram(columns(0.5, 0.3, 0.2, edges=[1e-300, 1e300, None]), "x")) == ["0", "1e+300"]


def test_long_categories_are_cut_and_stand_in_full_in_their_titles():
    found = [Column(0, "x" * 200, None, "x" * 200, 0.5, 0.5), Column(1, "b", None, "b", 0.5, 0.5)]
    (first, second) = ticks(histogram(found, "x"))
    assert first.endswith("…")
    assert len(first) < 50
    assert second == "b"
    assert "x" * 200 in histogram(found, "x")
    assert shortened("abc", 3) == "abc"
    assert shortened("abcd", 3) == "ab…"


def test_a_little_drawing_has_both_sides_in_one_scale():
    svg = spark([10, 30, 0, 0], [40, 0, 0, 0])
    # Of 20 units the floor is at 20: all now in the first bin, the reference at a quarter and three.
    assert re.findall(r"M([\d.]+) 20v-([\d.]+)", svg) == [("0.0", "19.0")]
    assert re.search(r'class="line" d="M0 15\.2H42\.0V5\.8H84"', svg)
    assert spark([0, 0], [1, 1]) == spark([1, 1], [0, 0]) == ""


def test_a_value_stands_between_its_ends():
    svg = intervals([("a", Mark(0.5, 0.0, 1.0)), ("m", Mark(0.25))], 1.0)
    assert re.findall(r'<circle class="(\w)" cx="([\d.]+)"', svg) == [("a", "50.0"), ("m", "27.5")]
    assert 'd="M5.0 6H95.0"' in svg
    assert 'class="base" d="M95.0 0V20"' in svg
    assert intervals([("a", Mark(math.inf))], None) == intervals([], None) == ""


def test_dots_stand_at_their_values_and_what_is_beyond_chance_has_a_ring():
    svg = dots(
        columns(0.5, 0.5),
        [Mark(0.0), Mark(1.0)],
        [Mark(None), Mark(0.5, 0.25, 0.75, named=True)],
        "x",
        shares=True,
    )
    heights = re.findall(r'<circle class="(\w)" cx="[\d.]+" cy="([\d.]+)"', svg)
    assert heights == [("r", "120.0"), ("r", "10.0"), ("c", "65.0")]
    assert svg.count('class="ring"') == 1
    assert re.findall(r'text-anchor="end">(.*?)<', svg) == ["0%", "50%", "100%"]
