"""Stand-ins for the APIs that the trigger talks to, on loopback: what is asked is kept, answers are set."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web


class Api:
    """One server; subclasses say what they answer."""

    def __init__(self):
        self.requests = []
        self.faults = []  # statuses to answer first; 0 breaks the connection
        self.hang = 0.0

    async def handle(self, request):
        body = await request.read()
        self.requests.append((request.method, request.path, dict(request.query), dict(request.headers), body))
        if self.hang:
            await asyncio.sleep(self.hang)
        if self.faults:
            status = self.faults.pop(0)
            if status == 0:
                request.transport.abort()
            return web.json_response({"message": "not now"}, status=status or 500)
        return await self.answer(request, body)

    async def answer(self, request, body):
        return web.json_response({})

    def sent(self, method):
        return [(path, json.loads(body)) for m, path, _, _, body in self.requests if m == method]

    @asynccontextmanager
    async def serving(self, tls=None):
        """Its URL while it serves."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


class Cluster(Api):
    """A Kubernetes API server with objects by path; refuses a second one of a name, as the real one does."""

    def __init__(self, token="t0ken"):
        super().__init__()
        self.objects = {}
        self.token = token

    async def answer(self, request, body):
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return self.status(401, "Unauthorized")
        if request.method == "GET":
            found = self.objects.get(request.path)
            return self.status(404, "not found") if found is None else web.json_response(found)
        content = json.loads(body)
        path = f"{request.path}/{content['metadata']['name']}"
        if path in self.objects:
            return self.status(409, "already exists")
        if "spec" not in content:
            return self.status(422, "spec: Required value")
        self.objects[path] = content | {"status": {}}
        return web.json_response(content, status=201)

    @staticmethod
    def status(code, message):
        return web.json_response(
            {"kind": "Status", "status": "Failure", "message": message, "code": code}, status=code
        )


class Pipelines(Api):
    """The Kubeflow pipelines API, v2beta1: takes two runs of one name, and finds runs by name."""

    def __init__(self):
        super().__init__()
        self.runs = []
        self.lose_answers = 0

    async def answer(self, request, body):
        base = "/apis/v2beta1/runs"
        if request.method == "POST" and request.path == base:
            run = {"run_id": f"run-{len(self.runs)}", "state": "PENDING", **json.loads(body)}
            self.runs.append(run)
            if self.lose_answers:
                self.lose_answers -= 1
                request.transport.abort()
            return web.json_response(run)
        if request.method == "GET" and request.path == base:
            [predicate] = json.loads(request.query["filter"])["predicates"]
            assert (predicate["operation"], predicate["key"]) == ("EQUALS", "display_name")
            found = [run for run in self.runs if run["display_name"] == predicate["stringValue"]]
            return web.json_response({"runs": found, "total_size": len(found)} if found else {})
        for run in self.runs:
            if request.path == f"{base}/{run['run_id']}":
                return web.json_response(run)
        return web.json_response({"code": 5}, status=404)
