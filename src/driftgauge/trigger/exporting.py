"""The joined records that a run is given: one file a decision, in a directory that the run sees too."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from driftgauge.errors import DriftgaugeError
from driftgauge.trigger.decision import Decision, run_name
from driftgauge.trigger_config import SharedExport


class Exporter:
    """Writes what the sidecar kept of a model, as `driftgauge export` does.

    Args:
        settings: without `data` nothing is written.
    """

    def __init__(self, settings: SharedExport) -> None:
        self._settings = settings

    async def export(self, decision: Decision) -> tuple[str, str]:
        """Where the run finds the file, and why there is none; at most one of them isn't empty."""
        if self._settings.data is None:
            return "", ""
        try:
            name = await asyncio.to_thread(self._write, self._settings.data, decision)
        except (DriftgaugeError, OSError) as error:
            return "", str(error)
        seen_as = self._settings.seen_as
        if seen_as is None:
            return str((self._settings.directory / name).absolute()), ""
        return f"{seen_as.rstrip('/')}/{name}", ""

    def _write(self, data: Path, decision: Decision) -> str:
        from driftgauge.export import ExportFormat, Wanted, write

        settings = self._settings
        settings.directory.mkdir(parents=True, exist_ok=True)
        name = f"{run_name(decision.id)}.{settings.format}"
        count = write(data, Wanted(decision.model), ExportFormat(settings.format), settings.directory / name)
        self._forget()
        if not count:
            raise DriftgaugeError(f"{data}: no joined record of {decision.model} was kept (export.keep)")
        return name

    def _forget(self) -> None:
        """Keep the newest files; none younger than an hour goes, which a run may still read."""
        files = sorted(
            self._settings.directory.glob("driftgauge-*"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        for old in files[self._settings.keep :]:
            if time.time() - old.stat().st_mtime > 3600:
                old.unlink(missing_ok=True)
