"""A whole trigger in this process, on a port of its own, with a clock that the test sets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import aiohttp

from driftgauge.config import Config
from driftgauge.trigger.service import Service
from driftgauge.trigger_config import CommandAction, Policy, Trigger

NOW = 1_800_000_000.0
DAY = 86_400.0


def alert(name="ModelDrift", model="car-loan", *, firing=True, starts_at="2026-01-01T00:00:00Z", **labels):
    """One alert of a webhook's body."""
    labels = {"alertname": name, "severity": "warning", "model": model, **labels}
    return {
        "status": "firing" if firing else "resolved",
        "labels": {key: value for key, value in labels.items() if value is not None},
        "annotations": {"summary": f"{name} of {model}"},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "/".join(map(str, sorted(labels.items()))),
    }


def webhook(*alerts):
    """A webhook's body."""
    return {
        "version": "4",
        "groupKey": "{}",
        "status": "firing",
        "receiver": "driftgauge",
        "alerts": list(alerts),
    }


def policy(**settings):
    """A policy that starts `true` on ModelDrift and asks nobody."""
    given = {"alerts": ("ModelDrift",), "matured_labels": 0, **settings}
    if not {"command", "webhook", "job", "argo", "kubeflow"} & given.keys():
        given["command"] = CommandAction(("/bin/true",))
    return Policy(**given)


@dataclass
class Running:
    """A trigger that runs, and a client of it."""

    service: Service
    url: str
    session: aiohttp.ClientSession
    now: list[float] = field(default_factory=lambda: [NOW])

    async def post(self, path, content=None, **headers):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self.session.post(self.url + path, data=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.read() or b"null")

    async def deliver(self, *alerts):
        status, answer = await self.post("/v1/alerts", webhook(*alerts))
        assert status == 200, answer
        return answer["decisions"]

    async def get(self, path, **headers):
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, json.loads(await answer.read())

    async def decisions(self):
        return (await self.get("/v1/decisions"))[1]["decisions"]

    async def decision(self, name):
        return (await self.get(f"/v1/decisions/{name}"))[1]

    async def until(self, name, *states):
        """The decision once it is in one of *states*."""
        for _ in range(4_000):
            found = (await self.decision(name))["decision"]
            if found["state"] in states:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"expected {states}, got {found}")

    async def settled(self):
        """All that can be done at this time is done."""
        await self.service.worker.work()
        for _ in range(4_000):
            if not self.service.worker._starts:
                return
            await asyncio.sleep(0.01)

    async def metrics(self):
        async with self.session.get(self.url + "/metrics") as answer:
            return await answer.text()


class Triggers:
    """Starts triggers in one directory, and ends them."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.alive = []

    async def start(self, *, now=None, limits=None, time_scale=1.0, look=0.05, **settings):
        policies = settings.pop("policies", {"retrain": policy()})
        trigger = Trigger(
            listen="127.0.0.1:0", directory=self.directory, look=look, policies=policies, **settings
        )
        config = Config(trigger=trigger, time_scale=time_scale)
        if limits:
            config = replace(config, limits=replace(config.limits, **limits))
        clock = [NOW] if now is None else now
        service = Service(config, clock=lambda: clock[0], random=Random(1))
        address = await service.start()
        running = Running(service, f"http://{address}", aiohttp.ClientSession(), clock)
        self.alive.append(running)
        return running

    async def stop(self, running):
        self.alive.remove(running)
        await running.session.close()
        await running.service.stop()
