"""What a decision can start; each action knows how to start a run once, and whether it has ended."""

from driftgauge.trigger.actions.action import Action, ActionFailed, Ended, Started

__all__ = ["Action", "ActionFailed", "Ended", "Started"]
