"""Values of categories, segments and labels as texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from driftgauge.records import Floats, Label

_EXACT_INTEGERS: Final = 1e21
"""Below it a float without a fraction is written in full, as the same integer is."""


def cut(text: str, longest: int) -> str:
    """*text*, or its beginning and an ellipsis where it has more than *longest* characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def text_of(value: Label, longest: int) -> str:
    """The text of a category that is not None: "true", "5" for 5 and 5.0, "0.1"; cut where it is too long."""
    if isinstance(value, str):
        return cut(value, longest)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < _EXACT_INTEGERS
        return str(int(value)) if whole else repr(value)
    return cut(str(value), longest)


def texts(column: Sequence[Label], longest: int) -> Sequence[str | None]:
    """The texts of *column*, None where there is no value; the column itself where it is fit."""
    if all(v is None or (type(v) is str and len(v) <= longest) for v in set(column)):
        return column  # type: ignore[return-value]  # every distinct value is a text or None
    return [None if v is None else text_of(v, longest) for v in column]


def nullable(column: Floats) -> list[Label]:
    """Numbers of a base64 column as labels, NaN as None."""
    values: list[Label] = column.tolist()
    if np.isnan(column).any():
        return [None if v != v else v for v in values]  # noqa: PLR0124  # NaN is what differs from itself
    return values
