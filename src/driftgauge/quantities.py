"""Quantities as Kubernetes writes them: ``2Gi``, ``500M``, ``128974848000m``, ``1e9``."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import Final

# Digits of ASCII, and so many that no text costs anything to read.
_QUANTITY: Final = re.compile(
    r"[+]?(?=[0-9.]*[0-9])(?P<number>[0-9]{0,30}(?:\.[0-9]{0,30})?)"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_FACTORS: Final = MappingProxyType(
    {f"{unit}i": Decimal(1024**power) for power, unit in enumerate("KMGTPE", 1)}
    | {unit: Decimal(1000**power) for power, unit in enumerate("kMGTPE", 1)}
    | {unit: Decimal(1000) ** -power for power, unit in enumerate("mun", 1)}
)
_NANO: Final = Decimal(1000) ** -3
# What an int64 holds; Kubernetes takes more as this.
_MOST: Final = Decimal(2**63 - 1)


def quantity(text: str) -> Decimal:
    """The number that *text* is: ``128Mi`` is 134,217,728, ``100m`` a tenth.

    Grammar and rounding are those of Kubernetes' apimachinery, ``resource.ParseQuantity``: a fraction is of
    the unit, what is finer than a billionth is rounded up. Its answers are the table of the test.

    Raises:
        ValueError: it is none; negative; more than 2**63 - 1, which Kubernetes would make less of; or digits
            are missing, which it reads as 0.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a quantity as Kubernetes writes it, as 128Mi, got {text!r}")
    unit = _FACTORS.get(match["suffix"], Decimal(1)) * Decimal(10) ** int(match["exponent"] or 0)
    found = Decimal(match["number"]) * unit
    if found > _MOST:
        raise ValueError(f"expected a quantity of at most 2**63 - 1, got {text!r}")
    return found.quantize(_NANO, ROUND_CEILING)
