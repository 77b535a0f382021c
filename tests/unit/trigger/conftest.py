"""What the trigger's tests share."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.trigger.running import Triggers


@pytest.fixture
def with_triggers(tmp_path):
    """Runs a coroutine with `Triggers`, and ends what it left."""

    def run(scenario):
        async def whole():
            triggers = Triggers(tmp_path / "trigger")
            try:
                async with asyncio.timeout(240):
                    await scenario(triggers)
            finally:
                for running in list(triggers.alive):
                    await triggers.stop(running)

        asyncio.run(whole())

    return run
