"""Verdicts, and why there is none where there is none."""

from __future__ import annotations

from enum import StrEnum

from driftgauge.snapshot.field import SnapshotRow, Value


class VerdictState(StrEnum):
    """Whether a verdict can be given, or why not; `UNSETTLED` stands for any reference that isn't fixed."""

    JUDGED = "judged"
    SHORT_WINDOW = "short_window"
    WAITING = "waiting"
    LEARNING = "learning"
    PROVISIONAL = "provisional"
    UNSTABLE = "unstable"
    NOT_COVERED = "not_covered"
    FEW_SAMPLES = "few_samples"
    PHI_UNKNOWN = "phi_unknown"
    IDENTIFIER = "identifier"
    UNSETTLED = "unsettled"


FLAGGED_VERDICT_STATES = (
    VerdictState.JUDGED,
    VerdictState.WAITING,
    VerdictState.UNSETTLED,
    VerdictState.NOT_COVERED,
    VerdictState.FEW_SAMPLES,
    VerdictState.PHI_UNKNOWN,
)


class Verdict(SnapshotRow, frozen=True):
    """What one feature or output was found to be when its window's newest pane closed.

    `state` says why there is no verdict, where there is none; `smallest_shift_sd` and `critical_ks` are of
    numeric ones.
    """

    model: str
    model_version: str
    feature: str
    output: str
    window: str
    state: str
    drift: Value
    beyond_reference: Value
    p_value: Value
    adjusted_p_value: Value
    overdispersion: Value
    reference_windows: Value
    critical_psi: Value
    smallest_shift_sd: Value
    held_ratio: Value
    critical_ks: Value = None


class VerdictSummary(SnapshotRow, frozen=True):
    """Verdicts of a version's features in one window; `state` is that of the most features."""

    model: str
    model_version: str
    window: str
    state: str
    judged_features: Value
    drifted_ratio: Value
    overdispersion_max: Value


class VerdictFlag(SnapshotRow, frozen=True):
    """One of the closed set of verdict states: 1 for the one that holds in a window."""

    model: str
    model_version: str
    window: str
    state: str
    holds: Value
