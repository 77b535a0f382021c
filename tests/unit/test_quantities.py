"""Quantities, against those of Kubernetes."""

from __future__ import annotations

from decimal import Decimal

import click
import pytest

from driftgauge.cli.parameters import byte_size
from driftgauge.quantities import quantity

# What `resource.ParseQuantity(text).AsDec()` of k8s.io/apimachinery v0.34.2 said.
KUBERNETES = {
    "0": "0",
    "1": "1",
    "128Mi": "134217728",
    "1.5Gi": "1610612736",
    "2Gi": "2147483648",
    "1Ki": "1024",
    "1Ti": "1099511627776",
    "1Pi": "1125899906842624",
    "4Ei": "4611686018427387904",
    "7.5Ei": "8646911284551352320",
    "1k": "1000",
    "500M": "500000000",
    "2G": "2000000000",
    "3T": "3000000000000",
    "4P": "4000000000000000",
    "5E": "5000000000000000000",
    "1n": "0.000000001",
    "1u": "0.000001",
    "100m": "0.1",
    "128974848000m": "128974848",
    "1e3": "1000",
    "1E3": "1000",
    "1e+3": "1000",
    "1e-3": "0.001",
    "12e6": "12000000",
    "1.5e3": "1500",
    "+1Gi": "1073741824",
    "1.": "1",
    ".5": "0.5",
    ".5Gi": "536870912",
    "0.001Ki": "1.024",
    "1.0000000001": "1.000000001",
    "9223372036854775807": "9223372036854775807",
}
# What it said is none.
NONE = [
    "",
    "1K",
    "1KB",
    "1GB",
    "1 Gi",
    "1gi",
    "1mi",
    "1e",
    "1e1.5",
    "1e3Ki",
    "1Kii",
    "1,5Gi",
    "0x10",
    "1_000",
]
NONE += ["--1", "1Ee", " 1", "1\n", "\u0661Gi", "inf", "nan"]
# What it takes and nobody means: 0, negative, or made less.
REFUSED = [".", "+", "Gi", "-1Gi", "8Ei", "9.3E", "9223372036854775808", "1e99"]


@pytest.mark.parametrize(("text", "number"), KUBERNETES.items())
def test_a_quantity_is_what_kubernetes_reads(text, number):
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", [*NONE, *REFUSED, "9" * 31, "1e100"])
def test_what_is_none_is_refused(text):
    with pytest.raises(ValueError, match="expected a quantity"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "number"), [("2Gi", 2 << 30), ("1.5Gi", 3 << 29), ("1.5", 1), ("2000m", 2), ("1e9", 10**9)]
)
def test_a_size_is_whole_bytes(text, number):
    assert byte_size(text) == number


@pytest.mark.parametrize("text", ["big", "0", "0Gi", "500m", "0.9", "2GB"])
def test_a_size_below_a_byte_is_none(text):
    with pytest.raises(
        click.BadParameter, match=f"expected a size as Kubernetes writes it, as 2Gi, got '{text}'"
    ):
        byte_size(text)
