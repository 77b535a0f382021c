"""The OpenAPI 3.1 document, made from the classes that the doors answer with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from driftgauge import __version__
from driftgauge.web.answers import FeatureAnswer, History, Model, Models
from driftgauge.web.ports import ReferenceChange
from driftgauge.web.problem import PROBLEM_JSON, Problem, Taken, title

# What JSON Schema and OpenAPI are: trees of whatever JSON has.
Json = Any

_REFERENCE = "#/components/schemas/{name}"

_PREDICTION_EXAMPLE: Json = {
    "prediction_id": "a1",
    "model": "churn",
    "model_version": "2026-01",
    "timestamp": "2026-01-31T12:00:00Z",
    "features": {"customer_age": 41, "plan": "enterprise"},
    "score": 0.83,
    "segments": {"region": "eu"},
}
_OUTCOME_EXAMPLE: Json = {"model": "churn", "prediction_id": "a1", "outcome": 1}

_MODEL = ("model", "path", "string", "The model's name, percent-encoded.")
_FEATURE = ("feature", "path", "string", "The feature's name, percent-encoded.")
_OUTPUT = ("output", "path", "string", "score or prediction.")
_VERSION = ("model_version", "query", "string", "Only this version.")
_NEWEST = ("model_version", "query", "string", "This version; the newest without it.")
_WINDOW = ("window", "query", "string", "A duration, `30d`: take the records of it that are kept.")
_SINCE = ("since", "query", "string", "Epoch seconds or RFC 3339: take the records since then.")
_NAMES = ("name[]", "query", "array", "Only these metrics; may come several times.")
_START = ("start", "query", "string", "Epoch seconds or RFC 3339: only what begins then or later.")
_END = ("end", "query", "string", "Epoch seconds or RFC 3339: only what begins earlier.")
_KEY = ("Idempotency-Key", "header", "string", "Marks a request as the same one when it is sent again.")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, as the document tells it.

    Attributes:
        parameters: (name, place, type, what it is).
        takes: the name of the body's schema, with an example; empty where there is no body.
        gives: media types of a 200, with the name of their schema or ``string``.
        fails: the statuses that it may answer with as problem+json, beside 500.
        open: whether it is answered without the door's token.
        also: other statuses of success, with the same body.
    """

    method: str
    path: str
    summary: str
    parameters: tuple[tuple[str, str, str, str], ...] = ()
    takes: tuple[str, Json] | None = None
    gives: tuple[tuple[str, str], ...] = (("application/json", "object"),)
    fails: tuple[int, ...] = ()
    open: bool = False
    also: tuple[int, ...] = ()


_CHANGE_FAILURES = (400, 403, 404, 409, 429, 503)
_INTAKE_FAILURES = (400, 403, 408, 413, 415, 417, 422, 429, 503)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        "/v1/predictions",
        "Take predictions: one, a list, NDJSON, or columns. Answers after the commit.",
        (_KEY,),
        ("Prediction", _PREDICTION_EXAMPLE),
        (("application/json", "Taken"),),
        _INTAKE_FAILURES,
        also=(202,),
    ),
    Operation(
        "post",
        "/v1/outcomes",
        "Take outcomes, which join predictions by id, before or after them. Answers after the commit.",
        (_KEY,),
        ("Outcome", _OUTCOME_EXAMPLE),
        (("application/json", "Taken"),),
        _INTAKE_FAILURES,
        also=(202,),
    ),
    Operation("get", "/", "The page for people.", gives=(("text/html", "string"),)),
    Operation(
        "get",
        "/metrics",
        "The metrics, in Prometheus' text format 0.0.4 or OpenMetrics 1.0; gzip when accepted.",
        (_NAMES,),
        gives=(("text/plain", "string"), ("application/openmetrics-text", "string")),
    ),
    Operation("get", "/healthz", "Whether nothing is stuck.", fails=(503,), open=True),
    Operation("get", "/readyz", "Whether state is restored and records are taken.", fails=(503,), open=True),
    Operation(
        "get",
        "/v1/models",
        "Each model version as a whole, and what happened.",
        gives=(("application/json", "Models"),),
    ),
    Operation(
        "get",
        "/v1/models/{model}",
        "Every number of a model's versions.",
        (_MODEL, _VERSION),
        gives=(("application/json", "Model"),),
        fails=(404,),
    ),
    Operation(
        "get",
        "/v1/models/{model}/features/{feature}",
        "All of one feature: its rows, and its records by bin in each window and in the reference.",
        (_MODEL, _FEATURE, _NEWEST),
        gives=(("application/json", "FeatureAnswer"),),
        fails=(404,),
    ),
    Operation(
        "get",
        "/v1/models/{model}/outputs/{output}",
        "The same of the score or of the prediction.",
        (_MODEL, _OUTPUT, _NEWEST),
        gives=(("application/json", "FeatureAnswer"),),
        fails=(404,),
    ),
    Operation(
        "get",
        "/v1/models/{model}/history",
        "A model's past: hourly for five weeks, then the model as a whole for 400 days.",
        (_MODEL, _VERSION, _START, _END),
        gives=(("application/json", "History"),),
        fails=(400, 404, 503),
    ),
    Operation(
        "get",
        "/v1/models/{model}/reference",
        "What a version is compared with, as `driftgauge profile` writes it.",
        (_MODEL, _NEWEST),
        fails=(404, 503),
    ),
    Operation(
        "post",
        "/v1/models/{model}/reference/accept",
        "Freeze the references that are provisional or unstable. Answers after the commit.",
        (_MODEL, _NEWEST),
        gives=(("application/json", "ReferenceChange"),),
        fails=_CHANGE_FAILURES,
    ),
    Operation(
        "post",
        "/v1/models/{model}/reference/relearn",
        "Learn the references anew, or take what is kept of a window. Answers after the commit.",
        (_MODEL, _NEWEST, _WINDOW, _SINCE),
        gives=(("application/json", "ReferenceChange"),),
        fails=_CHANGE_FAILURES,
    ),
    Operation("get", "/openapi.json", "This document."),
)

_LABEL: Json = {"type": ["string", "number", "boolean", "null"]}
_TIMESTAMP: Json = {"type": ["string", "number"], "description": "RFC 3339 with a zone, or epoch seconds."}
_TEXTS: Json = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "number"}

_RECORD: Json = {
    "prediction_id": {"type": "string", "description": "What an outcome joins by; at most 256 bytes."},
    "model": _TEXT,
    "model_version": _TEXT,
    "timestamp": _TIMESTAMP,
    "score": _NUMBER | {"description": "Probability of the positive class, or any score."},
    "prediction": _LABEL,
    "outcome": _LABEL,
    "segments": _TEXTS,
}

_RECORDS: Json = {
    "Prediction": {
        "type": "object",
        "description": "One prediction. All is optional; top-level keys are renamed by `fields:` first.",
        "properties": _RECORD
        | {
            "features": _TEXTS | {"description": "Feature values by name."},
            "scores": {"type": "object", "additionalProperties": _NUMBER},
            "latency_seconds": _NUMBER | {"minimum": 0},
            "error": {"description": "What went wrong in the model server; counted, never kept."},
            "trace_id": _TEXT,
        },
    },
    "Outcome": {
        "type": "object",
        "description": "One outcome: joined by its prediction's id, or carrying what needs no join.",
        "required": ["outcome"],
        "properties": _RECORD
        | {
            "value": _NUMBER | {"description": "What the record was worth."},
            "prediction_timestamp": _TIMESTAMP,
        },
    },
    "Columns": {
        "type": "object",
        "description": "Many records by column: each field a list of the same length, a column of numbers "
        'also {"float64": text}, base64 of little-endian float64.',
        "required": ["columns"],
        "properties": {"model": _TEXT, "model_version": _TEXT, "columns": {"type": "object"}},
    },
}


def document() -> Json:
    """The whole document of the sidecar's doors."""
    return described(
        OPERATIONS,
        (Taken, Models, Model, FeatureAnswer, History, ReferenceChange),
        _RECORDS,
        title="driftgauge",
        description="The intake door answers all paths, the observation door all but the posts, "
        "the door for outcomes from outside of the pod POST /v1/outcomes alone.",
    )


def described(
    operations: tuple[Operation, ...],
    answers: tuple[type[Any], ...],
    bodies: Mapping[str, Json],
    *,
    title: str,
    description: str,
) -> Json:
    """A document of *operations*.

    Args:
        answers: classes of JSON answers, beside `Problem`.
        bodies: schemas of what is sent, by name.
    """
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": description,
        },
        "paths": paths,
        "components": {
            "schemas": {**_schemas(answers), **bodies},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Asked for by a door that has a token file.",
                }
            },
        },
        "security": [{}, {"token": []}],
    }


def _schemas(answers: tuple[type[Any], ...]) -> dict[str, Json]:
    _, found = msgspec.json.schema_components((*answers, Problem), ref_template=_REFERENCE)
    for schema in found.values():
        properties = schema.get("properties", {})
        if "class_" in properties:
            schema["properties"] = {name.rstrip("_"): value for name, value in properties.items()}
            schema["required"] = [name.rstrip("_") for name in schema["required"]]
    return found


def _operation(operation: Operation) -> Json:
    success = {
        str(status): {"description": title(status), "content": _content(operation)}
        for status in (200, *operation.also)
    }
    told: dict[str, Json] = {
        "summary": operation.summary,
        "operationId": _identifier(operation),
        "responses": success | {str(status): _problem(status) for status in _failures(operation)},
    }
    if operation.parameters:
        told["parameters"] = [_parameter(*parameter) for parameter in operation.parameters]
    if operation.takes is not None:
        told["requestBody"] = _body(*operation.takes)
    if operation.open:
        told["security"] = []
    return told


def _failures(operation: Operation) -> list[int]:
    return sorted({*operation.fails, 500} | (set() if operation.open else {401, 503}))


def _identifier(operation: Operation) -> str:
    words = operation.path.replace("{", "").replace("}", "").replace(".", "_").strip("/").split("/")
    return "_".join((operation.method, *(word for word in words if word))) or operation.method


def _content(operation: Operation) -> Json:
    return {media: {"schema": _named(schema)} for media, schema in operation.gives}


def _named(schema: str) -> Json:
    if schema in {"string", "object"}:
        return {"type": schema}
    return {"$ref": _REFERENCE.format(name=schema)}


def _problem(status: int) -> Json:
    described: Json = {
        "description": title(status),
        "content": {PROBLEM_JSON: {"schema": _named("Problem")}},
    }
    header = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(status)
    if header:
        described["headers"] = {header: {"schema": _TEXT}}
    return described


def _parameter(name: str, place: str, kind: str, description: str) -> Json:
    schema: Json = {"type": "array", "items": _TEXT} if kind == "array" else {"type": kind}
    if place == "header":
        schema = schema | {"minLength": 1, "maxLength": 255}
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": schema,
        "description": description,
    }


def _body(schema: str, example: Json) -> Json:
    one = _named(schema)
    if schema not in _RECORDS:
        return {"required": True, "content": {"application/json": {"schema": one, "example": example}}}
    several = {"anyOf": [one, {"type": "array", "items": one}, _named("Columns")]}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": several, "example": example},
            "application/x-ndjson": {"schema": _TEXT | {"description": f"A {schema} a line."}},
        },
    }
