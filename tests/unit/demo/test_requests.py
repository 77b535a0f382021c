"""Records become requests, each when it is due."""

from __future__ import annotations

import json

import pytest

from driftgauge.config import Limits
from driftgauge.demo.requests import end_of, posts, step_seconds
from driftgauge.ingest import Decoder
from driftgauge.records import Kind, Media, Request, Schema

DAY = 86_400.0


def bodies(found, path):
    return [json.loads(post.body)["columns"] for post in found if post.path == path]


def column(found, path, name):
    return [value for body in bodies(found, path) for value in body[name]]


@pytest.mark.parametrize("step", [3600.0, 6 * 3600.0, DAY, 3.5 * DAY, 365 * DAY])
def test_each_record_and_each_outcome_is_sent_once_in_order(table, step):
    found = list(posts("loan", table, step))
    assert column(found, "/v1/predictions", "prediction_id") == table.ids
    assert column(found, "/v1/outcomes", "prediction_id") == table.ids
    assert column(found, "/v1/outcomes", "outcome") == table.outcome.tolist()
    assert sum(post.records for post in found) == 20
    assert [post.due for post in found] == sorted(post.due for post in found)


@pytest.mark.parametrize("step", [3600.0, DAY, 3.5 * DAY])
def test_nothing_is_sent_before_it_happened_or_a_step_after(table, step):
    for post in posts("loan", table, step):
        times = json.loads(post.body)["columns"]["timestamp"]
        assert post.due - step <= min(times)
        assert max(times) < post.due


def test_an_outcome_comes_a_delay_after_its_prediction(table):
    found = list(posts("loan", table, DAY))
    predicted = column(found, "/v1/predictions", "timestamp")
    came = column(found, "/v1/outcomes", "timestamp")
    assert [after - before for before, after in zip(predicted, came, strict=True)] == [DAY] * 10
    assert end_of(table) == came[-1]


def test_the_classes_of_a_binary_model_are_whole_numbers(table):
    found = list(posts("loan", table, DAY))
    labels = [*column(found, "/v1/predictions", "prediction"), *column(found, "/v1/outcomes", "outcome")]
    assert {(type(label), label) for label in labels} == {(int, 0), (int, 1)}


def test_a_regression_has_numbers_and_no_score(rentals):
    found = list(posts("bike", rentals, DAY))
    assert column(found, "/v1/predictions", "prediction") == [i + 0.25 for i in range(10)]
    assert all("score" not in body for body in bodies(found, "/v1/predictions"))


def test_the_decoder_takes_every_request(table):
    decoder = Decoder(Limits(), {}, lambda _: Schema(), lambda: None)
    for post in posts("loan", table, DAY):
        outcomes = post.path == "/v1/outcomes"
        request = Request(Kind.OUTCOMES if outcomes else Kind.PREDICTIONS, Media.JSON, post.body)
        decoded = decoder.outcomes([request]) if outcomes else decoder.predictions([request])
        assert (decoded.rejections, decoded.failures, dict(decoded.ignored)) == ((), (), {})
        [batch] = decoded.outcomes or decoded.predictions
        assert (batch.model, batch.model_version, len(batch)) == ("loan", "1", post.records)


@pytest.mark.parametrize(
    ("time_scale", "step"),
    [(1.0, 3600.0), (100 * 3600.0, 25 * 3600.0), (12 * DAY, 3 * DAY), (1e9, 7 * DAY)],
)
def test_a_request_holds_a_quarter_of_a_second_within_an_hour_and_a_week(time_scale, step):
    assert step_seconds(time_scale) == step
