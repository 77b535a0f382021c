"""One scrape: the finished text of the Snapshot, the live metrics, and what the client asked for."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from driftgauge.exposition.lines import EOF_LINE
from driftgauge.exposition.live import Live
from driftgauge.exposition.rendered import Rendered, gzip_member

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Page(NamedTuple):
    """What /metrics answers.

    Attributes:
        content_encoding: None where the body is as it stands.
    """

    body: bytes
    content_type: str
    content_encoding: str | None


def compose(
    rendered: Rendered,
    live: Live,
    *,
    accept: str = "",
    accept_encoding: str = "",
    names: Collection[str] = (),
) -> Page:
    """The page for a client with these headers; *names* are the values of ``name[]``, none for all.

    A family is given whole: a part of a histogram would not be well-formed. No family comes twice,
    because the table names each once.

    Cost at 10,000 series of the Snapshot: 1 ms, and the live series' text (see `Live.text`).
    """
    openmetrics = accepts_openmetrics(accept)
    content_type = OPENMETRICS if openmetrics else TEXT
    rest = live.text(openmetrics=openmetrics, names=names) + (EOF_LINE if openmetrics else b"")
    if not accepts_gzip(accept_encoding):
        return Page(rendered.text(openmetrics=openmetrics, names=names) + rest, content_type, None)
    if names:
        rendered = Rendered(tuple(rendered.select(names)))
    return Page(gzip_member(rendered.compressed(openmetrics=openmetrics), rest), content_type, "gzip")


def accepts_openmetrics(accept: str) -> bool:
    """Whether the header Accept names OpenMetrics 1.0 or newer, or without a version.

    As prometheus-client reads it: what is named is taken, whatever stands beside it, unless its
    quality is 0.
    """
    for choice in accept.split(","):
        media, *parameters = (part.strip() for part in choice.split(";"))
        if media.lower() != "application/openmetrics-text":
            continue
        given = _parameters(parameters)
        if _quality(given) > 0 and _major(given.get("version", "1")) >= 1:
            return True
    return False


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header Accept-Encoding allows gzip; ``gzip;q=0`` doesn't."""
    for choice in accept_encoding.split(","):
        coding, *parameters = (part.strip() for part in choice.split(";"))
        if coding.lower() in {"gzip", "x-gzip", "*"}:
            return _quality(_parameters(parameters)) > 0
    return False


def _parameters(parts: list[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _quality(parameters: dict[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0.0


def _major(version: str) -> int:
    major = version.partition(".")[0]
    return int(major) if major.isdecimal() and len(major) < 10 else 0
