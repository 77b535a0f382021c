"""Files to profile."""

from __future__ import annotations

import gzip
import json

import pytest

from driftgauge.profile import Roles, Settings, profile


@pytest.fixture
def profiled(tmp_path):
    """Writes a file, bytes or text, and profiles it; roles and settings by keyword."""

    def make(content, name="train.csv", roles=None, **settings):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return profile(path, Settings(roles=Roles(**(roles or {})), **settings))

    return make


def csv_text(header, rows):
    return "\n".join([",".join(header), *(",".join(map(str, row)) for row in rows)]) + "\n"


def ndjson(records):
    return "".join(json.dumps(record) + "\n" for record in records)


def zipped(text):
    return gzip.compress(text.encode(), mtime=0)  # the same bytes in every worker


def kinds(found):
    """Kind by key."""
    bins = found.reference.bins
    named = dict.fromkeys(bins.numeric, "numeric") | dict.fromkeys(bins.categorical, "categorical")
    return named | dict.fromkeys(bins.identifiers, "identifier")


def categories(found, name):
    """Categories of a feature with their counts."""
    from driftgauge.sketches.inputs import Inputs

    bins = found.reference.bins
    place = bins.categorical.index(name)
    inputs = Inputs(bins)
    cells = inputs.layout.count(found.reference.row, "categories")[place].tolist()
    counts = dict(zip(bins.categories[place], cells, strict=False))
    return counts | {None: cells[inputs.missing]} if cells[inputs.missing] else counts


def missing(found, name):
    """Missing values of a numeric feature."""
    from driftgauge.sketches.inputs import MISSING, Inputs

    bins = found.reference.bins
    cells = Inputs(bins).layout.count(found.reference.row, "bins")
    return int(cells[bins.numeric.index(name), MISSING])
