"""Readers of parameters that several commands share; what they refuse is told as click tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from driftgauge.config_file import UnixAddress, parse_address, parse_duration
from driftgauge.quantities import quantity


def address(text: str) -> str:
    """``host:port``, ``[ipv6]:port`` or ``unix:/path``, as it was written."""
    try:
        parse_address(text)
    except ValueError as unfit:
        raise click.BadParameter(f"expected {unfit}, got {text!r}") from unfit
    return text


def tcp_address(text: str) -> str:
    """As `address`, but no socket."""
    try:
        found = parse_address(text)
    except ValueError as unfit:
        raise click.BadParameter(f"expected {unfit}, got {text!r}") from unfit
    if isinstance(found, UnixAddress):
        raise click.BadParameter(f"expected host:port, got {text!r}")
    return text


def duration(text: str) -> float:
    """Seconds of ``30s``, ``15m``, ``1h``, ``7d``; a bare number is refused."""
    try:
        return parse_duration(text)
    except ValueError as unfit:
        raise click.BadParameter(f"expected {unfit}, got {text!r}") from unfit


def moment(text: str) -> float:
    """Epoch seconds of RFC 3339 text or of a number of them; a date is its midnight, UTC."""
    try:
        if text.replace(".", "", 1).isdecimal():
            return float(text)
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as unfit:
        expected = "RFC 3339 (2026-01-31T00:00:00Z), a date or epoch seconds"
        raise click.BadParameter(f"expected {expected}, got {text!r}") from unfit


def byte_size(text: str) -> int:
    """Bytes as Kubernetes writes them: ``2Gi``, ``1.5G``, ``1024``; a fraction of a byte is left out."""
    try:
        found = int(quantity(text))
    except ValueError:
        found = 0
    if not found:
        raise click.BadParameter(f"expected a size as Kubernetes writes it, as 2Gi, got {text!r}")
    return found
