"""Bytes of any accepted form of a request -> columns of records, or counted, worded rejections."""

from driftgauge.ingest.decoder import Decoder

__all__ = ["Decoder"]
