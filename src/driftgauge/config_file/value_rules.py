"""Rules that the value of a model's decisions keeps."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.config import VALUES_OF_TASK, FeatureKind, Model, Task
from driftgauge.config_file.fault import Fault, KeyPath, either, shown
from driftgauge.config_file.scalars import number_text

# Sums of a trillion records' squares stay far from the largest float.
MOST = 1e12


def value_faults(path: KeyPath, model: Model) -> Iterator[Fault]:
    """All rules that the value of the model at *path* breaks."""
    value, below = model.value, (*path, "value")
    if value is None:
        return
    if model.task is None:
        # A guess from the first records must not decide what money is counted.
        yield Fault(below, "a task beside it", "none")
    else:
        yield from _number_faults(below, model, model.task)
    yield from _weight_faults(below, model)


def _number_faults(below: KeyPath, model: Model, task: Task) -> Iterator[Fault]:
    for owner, names in VALUES_OF_TASK.items():
        for name in names:
            number: float | None = getattr(model.value, name)
            if number is None:
                continue
            if owner is not task:
                expected = f"{either(VALUES_OF_TASK[task])} where the task is {task}"
                yield Fault((*below, name), expected, name, ((*below[:-1], "task"),))
            elif not -MOST <= number <= MOST:
                yield Fault((*below, name), "a number from -1e12 to 1e12", number_text(number))


def _weight_faults(below: KeyPath, model: Model) -> Iterator[Fault]:
    name = model.value.weight if model.value else None
    if name is None:
        return
    path, features = (*below, "weight"), (*below[:-1], "features")
    feature = model.features.get(name)
    if not name:
        yield Fault(path, "a text that is not empty", "''")
    elif feature is None and not model.discover_features:
        yield Fault(path, "a declared feature", shown(name), (features,))
    elif feature is not None and feature.kind not in {None, FeatureKind.NUMERIC}:
        yield Fault(path, "a numeric feature", f"{shown(name)}, {feature.kind}", ((*features, name, "kind"),))
