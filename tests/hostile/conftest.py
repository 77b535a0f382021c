"""Fixtures for whole processes."""

from tests.e2e.fixtures import configured, nursery, started

__all__ = ["configured", "nursery", "started"]
