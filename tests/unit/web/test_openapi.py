"""The document says what the doors do, and nothing else."""

import json
import re

import pytest

from driftgauge.web.openapi import OPERATIONS, document


def walk(tree, path="#"):
    yield path, tree
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield from walk(child, f"{path}/{key}")


def test_every_route_is_in_it_and_every_operation_is_a_route(served):
    routes = {(route.method.lower(), route.path) for route in served.doors._doors[0].routes}
    told = {(method, path) for path, item in document()["paths"].items() for method in item}
    assert told == routes


def test_the_paths_without_a_token_are_the_probes(served):
    open_routes = {route.path for route in served.doors._doors[0].routes if not route.needs_token}
    assert (
        open_routes
        == {operation.path for operation in OPERATIONS if operation.open}
        == {"/healthz", "/readyz"}
    )


def test_it_is_served_as_it_is(served):
    reply = served.get("/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json() == json.loads(json.dumps(document()))


def test_it_is_openapi_3_1():
    told = document()
    assert told["openapi"] == "3.1.0"
    assert {"title", "version", "license"} <= set(told["info"])


def test_every_reference_leads_somewhere():
    told = document()
    references = {tree["$ref"] for _, tree in walk(told) if isinstance(tree, dict) and "$ref" in tree}
    assert references
    for reference in references:
        target = told
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_every_schema_is_referred_to():
    told = document()
    references = {
        tree["$ref"].rsplit("/", 1)[1] for _, tree in walk(told) if isinstance(tree, dict) and "$ref" in tree
    }
    assert references == set(told["components"]["schemas"])


def operations():
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield pytest.param(path, operation, id=f"{method} {path}")


@pytest.mark.parametrize(("path", "operation"), list(operations()))
def test_every_operation_is_whole(path, operation):
    assert operation["summary"].endswith(".")
    assert "200" in operation["responses"]
    for status, response in operation["responses"].items():
        assert re.fullmatch(r"[1-5][0-9][0-9]", status)
        assert response["description"]
        (media, *_) = response["content"]
        assert (media == "application/problem+json") == (int(status) >= 400)
    in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    assert all(p["required"] for p in operation.get("parameters", ()) if p["in"] == "path")


def test_operation_ids_differ():
    ids = [operation["operationId"] for item in document()["paths"].values() for operation in item.values()]
    assert len(set(ids)) == len(ids)


def test_the_field_class_is_called_class_everywhere():
    text = json.dumps(document()["components"]["schemas"])
    assert '"class_"' not in text
    assert '"class"' in text


def test_the_answers_have_the_fields_that_are_told(served):
    schemas = document()["components"]["schemas"]
    assert set(served.post().json()) == set(schemas["Taken"]["properties"])
    assert set(served.get("/v1/models").json()) == set(schemas["Models"]["properties"])
    assert set(served.get("/nothing").json()) <= set(schemas["Problem"]["properties"])
    assert set(schemas["Problem"]["required"]) <= set(served.get("/nothing").json())
