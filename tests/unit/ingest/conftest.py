"""Requests in a line, and a decoder of which nothing is known beforehand."""

import json

import pytest

from driftgauge.config import Limits
from driftgauge.ingest import Decoder
from driftgauge.records import Decoded, Kind, Media, Request, Schema


class Door:
    """Sends bodies to one decoder."""

    def __init__(self, *, schema=None, fields=None, limits=None, only=None, version=""):
        self.schemas = schema if callable(schema) else lambda _: schema or Schema()
        self.decoder = Decoder(limits or Limits(), fields or {}, self.schemas, lambda: only, version)

    def predictions(self, *bodies, media=Media.JSON) -> Decoded:
        return self.decoder.predictions([self.request(b, Kind.PREDICTIONS, media) for b in bodies])

    def outcomes(self, *bodies, media=Media.JSON) -> Decoded:
        return self.decoder.outcomes([self.request(b, Kind.OUTCOMES, media) for b in bodies])

    def lines(self, *records) -> Decoded:
        return self.predictions(b"\n".join(map(encoded, records)), media=Media.NDJSON)

    @staticmethod
    def request(body, kind, media):
        return Request(kind, media, encoded(body))


def encoded(value) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@pytest.fixture
def door():
    return Door


@pytest.fixture
def refused():
    """The rejections of a result as (request, index, reason, detail)."""
    return lambda result: [(r.request, r.index, str(r.reason), r.detail) for r in result.rejections]


@pytest.fixture
def failed():
    """The failures of a result as (request, status, reason, detail)."""
    return lambda result: [(f.request, f.status, str(f.reason), f.detail) for f in result.failures]
