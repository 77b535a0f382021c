"""The load generator as the benchmark's sections use it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.load import Told
from benchmarks.typical import IN_BODY, TYPICAL, Form, Shape


class RefusedError(Exception):
    """The server did not take what was sent."""


class Sender:
    """Sends bodies from another process; numbers them, so that no two records have one id."""

    def __init__(self) -> None:
        self.next_body = 1
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Sender]:
        """A sender, ended with the block."""
        sender = cls()
        try:
            yield sender
        finally:
            sender._popen.terminate()
            sender._popen.wait()

    def send(
        self,
        port: int,
        form: Form,
        bodies: int,
        *,
        first: int | None = None,
        connections: int = 4,
        size: int = IN_BODY,
        shape: Shape = TYPICAL,
        version: str = "14",
        ages: Sequence[float] = (),
    ) -> Told:
        """Send *bodies* bodies and wait for all answers.

        Args:
            first: number of the first; the next unused one where it isn't given.

        Raises:
            RefusedError: not every record was accepted.
        """
        number = self._number(bodies) if first is None else first
        order = {
            "port": port,
            "form": str(form),
            "first": number,
            "bodies": bodies,
            "connections": connections,
            "size": size,
            "numeric": shape.numeric,
            "categorical": shape.categorical,
            "version": version,
            "ages": list(ages),
        }
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._popen.stdin.write(json.dumps(order) + "\n")
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        if not line:
            raise RefusedError("the load generator ended")
        told = Told(**json.loads(line))
        expected = bodies if form is Form.SINGLE else bodies * size
        if told.failed or told.accepted != expected:
            raise RefusedError(
                f"{form}: expected {expected} records accepted, got {told.accepted}, "
                f"{told.duplicates} duplicates, {told.failed} failed requests: {told.sample!r}"
            )
        return told

    def _number(self, bodies: int) -> int:
        first, self.next_body = self.next_body, self.next_body + bodies
        return first
