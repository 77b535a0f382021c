"""Answers: what every one of them carries, and the problem+json of all that went wrong (RFC 9457)."""

from __future__ import annotations

import math
from http import HTTPStatus

import msgspec
from aiohttp import hdrs, web

from driftgauge.errors import RequestError
from driftgauge.records import Answer, Reason

SERVER = "driftgauge"
JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
PROBLEM_TYPE = "urn:driftgauge:problem:"

# So many of a request's refused records are told one by one; the rest are in the total.
LISTED = 100


class RejectedRecord(msgspec.Struct, frozen=True):
    """One record of a request that was not taken, by its index there."""

    index: int
    reason: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an error's answer.

    `reason` is the word that labels ``driftgauge_requests_rejected_total``; `rejected` stands only in
    a 422, at most 100 records long, and `rejected_total` then says how many there were.
    """

    type: str
    title: str
    status: int
    detail: str
    reason: str
    rejected: tuple[RejectedRecord, ...] = ()
    rejected_total: int = 0


class Taken(msgspec.Struct, frozen=True):
    """The body of an answer to records: how many were counted, were known already, were not taken.

    `rejected` lists at most the first 100; `rejected_total` is how many there were.
    """

    accepted: int
    duplicates: int
    rejected: tuple[RejectedRecord, ...]
    rejected_total: int


class MethodError(RequestError):
    """405, with the methods that the path has."""

    def __init__(self, method: str, allowed: tuple[str, ...]) -> None:
        known = ", ".join(allowed)
        super().__init__(405, Reason.METHOD, f"expected one of {known}, got {method}")
        self.allowed = known


class EncodingError(RequestError):
    """415 for a Content-Encoding; the answer names the one that is taken (RFC 9110, 15.5.16)."""


def respond(
    body: bytes, *, status: int = 200, content_type: str = JSON, headers: tuple[tuple[str, str], ...] = ()
) -> web.Response:
    """An answer with the headers that all have: who serves, and that the type is not to be guessed."""
    common = (
        (hdrs.SERVER, SERVER),
        (hdrs.CONTENT_TYPE, content_type),
        (hdrs.CACHE_CONTROL, "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return web.Response(status=status, body=body, headers=(*common, *headers))


def respond_json(value: object, *, status: int = 200) -> web.Response:
    """*value* (a Struct or a dataclass) as JSON."""
    return respond(msgspec.json.encode(value), status=status)


def refusal(error: RequestError) -> web.Response:
    """The answer to a request that was refused."""
    return _problem(error.status, error.reason, error.detail, _headers(error))


def unwell(reason: str, detail: str) -> web.Response:
    """The 503 of a health check that fails; *reason* is ``stuck`` or ``not_ready``. Not a refusal."""
    return _problem(503, reason, detail, ())


def nothing_valid(answer: Answer) -> web.Response:
    """The 422 for a request none of whose records was taken."""
    problem = Problem(
        type=PROBLEM_TYPE + Reason.NOTHING_VALID,
        title=title(422),
        status=422,
        detail=f"none of the {len(answer.rejected)} records was taken",
        reason=Reason.NOTHING_VALID,
        rejected=listed(answer),
        rejected_total=len(answer.rejected),
    )
    return respond(msgspec.json.encode(problem), status=422, content_type=PROBLEM_JSON)


def listed(answer: Answer) -> tuple[RejectedRecord, ...]:
    """The refused records that an answer tells one by one."""
    return tuple(RejectedRecord(r.index, r.reason.value, r.detail) for r in answer.rejected[:LISTED])


def title(status: int) -> str:
    """What *status* is called."""
    return HTTPStatus(status).phrase


def _problem(status: int, reason: str, detail: str, headers: tuple[tuple[str, str], ...]) -> web.Response:
    problem = Problem(PROBLEM_TYPE + reason, title(status), status, detail, reason)
    body = msgspec.json.encode(problem)
    return respond(body, status=status, content_type=PROBLEM_JSON, headers=headers)


def _headers(error: RequestError) -> tuple[tuple[str, str], ...]:
    """What an error's answer must carry beside its body."""
    if isinstance(error, MethodError):
        return ((hdrs.ALLOW, error.allowed),)
    if isinstance(error, EncodingError):
        return ((hdrs.ACCEPT_ENCODING, "gzip, identity"),)
    if error.status == HTTPStatus.UNAUTHORIZED:
        return ((hdrs.WWW_AUTHENTICATE, f'Bearer realm="{SERVER}"'),)
    if error.retry_after_seconds is not None:
        return ((hdrs.RETRY_AFTER, str(max(1, math.ceil(error.retry_after_seconds)))),)
    return ()
