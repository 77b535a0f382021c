"""Each function says what it raises, what it costs and what checks it."""

import importlib
import inspect
import pkgutil
import re

import pytest

from driftgauge import stats

PARTS = {
    "errors": re.compile(r"\bRaises\b|\b[Ee]rrors\b"),
    "cost": re.compile(r"\b[Cc]ost\b|O\("),
    "check": re.compile(r"\bChecked\b"),
}


def public():
    """Functions of each module, classes with methods of their own, and those methods."""
    for module in pkgutil.walk_packages(stats.__path__, stats.__name__ + "."):
        for name, member in vars(importlib.import_module(module.name)).items():
            if name.startswith("_") or getattr(member, "__module__", None) != module.name:
                continue
            place = f"{module.name.removeprefix(stats.__name__ + '.')}.{name}"
            if inspect.isfunction(member):
                yield place, member
            elif inspect.isclass(member) and (methods := list(methods_of(member))):
                yield place, member
                yield from ((f"{place}.{method.__name__}", method) for method in methods)


def methods_of(kind):
    """Public methods, inherited ones too, that this package defines."""
    for name, member in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_") and member.__module__.startswith(stats.__name__):
            yield member


ALL = dict(public())


def lacking(documented):
    text = documented.__doc__ or ""  # its own, not an inherited one
    return [part for part, words in PARTS.items() if not words.search(text)]


@pytest.mark.parametrize("place", ALL)
def test_it_says_its_errors_its_cost_and_its_check(place):
    assert not lacking(ALL[place])


def test_functions_classes_and_methods_of_every_depth_are_found():
    wanted = {
        "divergence.psi",
        "significance.Overdispersion.phi",
        "detectors.adwin.Adwin",
        "detectors.adwin.Adwin.update",
        "detectors.kswin.critical_steps",
    }
    assert wanted <= set(ALL)


def test_what_a_docstring_lacks_is_told():
    def silent():
        """Give nothing. Cost: O(1)."""

    assert lacking(silent) == ["errors", "check"]
    assert lacking(lambda: None) == ["errors", "cost", "check"]
