"""``python -m tests.mutation``: does each statistic's test fail when its formula gives a constant?

Every public function and method of ``driftgauge.stats`` is replaced, one at a time, by one that
calls the original (so its errors and its NaN stay) and then gives the same constant for each number.
The tests of its module must fail. A mutant that they let live is printed, and the exit code is 1.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import io
import os
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import hypothesis
import numpy as np
import pytest

from driftgauge import stats

CONSTANTS = (0.0, 0.5)
TESTS = Path(__file__).parent.parent / "unit" / "stats"
JOBS = os.cpu_count() or 1


class Target(NamedTuple):
    """A function, or a method of *owner*, that is replaced."""

    module: str
    owner: str
    name: str

    def __str__(self) -> str:
        return ".".join(
            part for part in (self.module.removeprefix("driftgauge."), self.owner, self.name) if part
        )


def constant(found: Any, number: float) -> Any:
    """*found* with *number* in place of each finite number; what holds none comes back as it is."""
    if isinstance(found, bool | np.bool_):
        return bool(number)
    if isinstance(found, int | float | np.number):
        return found if not np.isfinite(found) else type(found)(number)
    if isinstance(found, np.ndarray) and found.dtype.kind in "biuf":
        filled = np.full_like(found, number)
        return np.where(np.isfinite(found), filled, found) if found.dtype.kind == "f" else filled
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        values = {
            f.name: constant(getattr(found, f.name), number) for f in dataclasses.fields(found) if f.init
        }
        return dataclasses.replace(found, **values)
    if isinstance(found, tuple | list):
        values = [constant(each, number) for each in found]
        return type(found)(*values) if hasattr(found, "_fields") else type(found)(values)
    return found


def mutant(original: Callable[..., Any], number: float) -> Callable[..., Any]:
    """*original*, but for the numbers that it gives."""

    @functools.wraps(original)  # or a test that looks at a function's name would kill every mutant
    def replaced(*args: Any, **keywords: Any) -> Any:
        return constant(original(*args, **keywords), number)

    return replaced


def modules() -> Iterator[str]:
    """Every module of the package, those below it too."""
    for found in pkgutil.walk_packages(stats.__path__, stats.__name__ + "."):
        if not found.ispkg:
            yield found.name


def targets(module: str) -> Iterator[Target]:
    """Public functions of a module, and public methods of its public classes."""
    for name, member in vars(importlib.import_module(module)).items():
        if name.startswith("_") or getattr(member, "__module__", None) != module:
            continue
        if inspect.isfunction(member) and gives_numbers(member):
            yield Target(module, "", name)
        elif inspect.isclass(member):
            yield from (
                Target(module, name, method)
                for method, value in vars(member).items()
                if inspect.isfunction(value) and not method.startswith("_") and gives_numbers(value)
            )


def gives_numbers(function: Callable[..., Any]) -> bool:
    """Whether a constant can stand for what it gives: not for nothing, a saved state, or scipy's functions."""
    return inspect.signature(function).return_annotation not in {"None", "bytes", "ModuleType"}


def tests_of(module: str) -> Path:
    """The tests that answer for a module: the file of its name, or of its package."""
    inside = module.removeprefix(stats.__name__ + ".").split(".")
    for candidate in (
        TESTS.joinpath(*inside[:-1], f"test_{inside[-1]}.py"),
        TESTS / f"test_{inside[0]}.py",
        TESTS / inside[0],
    ):
        if candidate.exists():
            return candidate
    raise SystemExit(f"{module}: expected its tests at {TESTS.joinpath(*inside[:-1])}/test_{inside[-1]}.py")


def put(target: Target, number: float) -> None:
    """Replace the target wherever the package holds it."""
    module = importlib.import_module(target.module)
    if target.owner:
        owner = getattr(module, target.owner)
        setattr(owner, target.name, mutant(vars(owner)[target.name], number))
        return
    original = getattr(module, target.name)
    changed = mutant(original, number)
    for holder in [m for name, m in sys.modules.items() if name.startswith("driftgauge.")]:
        for name, member in list(vars(holder).items()):
            if member is original:
                setattr(holder, name, changed)


class Likeliest:
    """A plugin that puts first the tests that name what was replaced, the quick ones before those of hypothesis."""

    def __init__(self, name: str) -> None:
        self._name = re.compile(rf"\b{name}\b")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=self._rank)

    def _rank(self, item: pytest.Item) -> tuple[bool, bool]:
        function = getattr(item, "function", None)
        drawn = getattr(function, "hypothesis", None)
        try:
            text = inspect.getsource(drawn.inner_test if drawn else function)
        except (OSError, TypeError):
            text = ""
        return not self._name.search(text), drawn is not None


def begun(target: Target, number: float) -> int:
    """The process, a fork of this one, that runs the tests with the mutant in place and ends with them."""
    child = os.fork()
    if child:
        return child
    put(target, number)
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", str(tests_of(target.module))]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = pytest.main(options, plugins=[Likeliest(target.name)])
    os._exit(code)


def survivors(mutants: Sequence[tuple[Target, float]]) -> list[str]:
    """Those of *mutants* that their tests let live, tried side by side."""
    running: dict[int, str] = {}
    living: list[str] = []
    for place in range(len(mutants) + JOBS):
        if place < len(mutants):
            target, number = mutants[place]
            running[begun(target, number)] = f"{target} = {number}"
        while running and (len(running) >= JOBS or place >= len(mutants)):
            child, status = os.wait()
            name = running.pop(child)
            if os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK:
                living.append(name)
                print(f"lives: {name}", flush=True)
    return living


def main(chosen: list[str]) -> int:
    """Try every mutant, or those whose name contains one of *chosen*."""
    for costly in ("scipy.stats", "sklearn.metrics", "tests.conftest"):
        importlib.import_module(costly)  # once, before the forks
    # The first example that fails kills a mutant; nobody reads the simplest one.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile("mutants", hypothesis.settings(), database=None, phases=phases)
    hypothesis.settings.load_profile("mutants")
    found = [target for module in modules() for target in targets(module)]
    for target in found:
        tests_of(target.module)  # here, as a fork that finds no tests would pass for a killed mutant
    mutants = [
        (target, number)
        for target in found
        for number in CONSTANTS
        if not chosen or any(text in str(target) for text in chosen)
    ]
    began = time.monotonic()
    living = survivors(mutants)
    killed = len(mutants) - len(living)
    print(
        f"{len(mutants)} mutants of {len(found)} functions: {killed} killed, {len(living)} live; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if living or not mutants else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
