"""Paths to handlers, and the one place where everything that goes wrong becomes an answer."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import hdrs, web

from driftgauge.errors import RequestError
from driftgauge.records import Reason
from driftgauge.web.auth import TokenFile
from driftgauge.web.ports import DoorCounts
from driftgauge.web.problem import MethodError, refusal

log = logging.getLogger(__name__)

Parameters = tuple[str, ...]
Handler = Callable[[web.BaseRequest, Parameters], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    Attributes:
        path: as OpenAPI writes it; ``{name}`` stands for one segment, which the handler gets decoded.
        handler: called with the request and the values of the path's parameters.
        needs_token: whether a door's token is asked for here; probes can't carry one.
    """

    method: str
    path: str
    handler: Handler
    needs_token: bool = True


_Methods = dict[str, Route]


class Routes:
    """All routes of a door, found by the raw path. GET answers HEAD too; aiohttp leaves the body out."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._exact: dict[str, _Methods] = {}
        self._shapes: list[tuple[tuple[str, ...], _Methods]] = []
        for route in routes:
            self._methods(route.path)[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, Parameters]:
        """The route for *method* at *path* (percent-encoded), and the decoded parameters.

        Raises:
            RequestError: 404, no such path; 405, the path has other methods.
        """
        methods = self._exact.get(path)
        parameters: Parameters = ()
        if methods is None:
            methods, parameters = self._by_shape(path)
        route = methods.get("GET" if method == hdrs.METH_HEAD else method)
        if route is None:
            head = (hdrs.METH_HEAD,) if hdrs.METH_GET in methods else ()
            raise MethodError(method, (*methods, *head))
        return route, parameters

    def _methods(self, path: str) -> _Methods:
        if "{" not in path:
            return self._exact.setdefault(path, {})
        shape = tuple(path.split("/"))
        for known, methods in self._shapes:
            if known == shape:
                return methods
        self._shapes.append((shape, {}))
        return self._shapes[-1][1]

    def _by_shape(self, path: str) -> tuple[_Methods, Parameters]:
        segments = tuple(path.split("/"))
        for shape, methods in self._shapes:
            parameters = _match(shape, segments)
            if parameters is not None:
                return methods, parameters
        raise RequestError(404, Reason.NOT_FOUND, "there is nothing at this path; /openapi.json lists all")


def _match(shape: tuple[str, ...], segments: tuple[str, ...]) -> Parameters | None:
    """The decoded parameters if *segments* have this *shape*; a parameter is never empty."""
    if len(shape) != len(segments):
        return None
    found = []
    for expected, segment in zip(shape, segments, strict=True):
        if expected.startswith("{"):
            found.append(unquote(segment))
            if not segment:
                return None
        elif expected != segment:
            return None
    return tuple(found)


class Door:
    """Answers the requests of one address.

    Args:
        routes: what the address has.
        token: what lets a client in; None lets everyone in.
    """

    def __init__(self, routes: tuple[Route, ...], counts: DoorCounts, token: TokenFile | None = None) -> None:
        self.routes = Routes(routes)
        self.counts = counts
        self._token = token

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Always an answer: a refusal and even a bug become problem+json, and are counted by reason."""
        try:
            route, parameters = self.routes.find(request.method, request.rel_url.raw_path)
            if self._token is not None and route.needs_token:
                self._token.check(request.headers.get(hdrs.AUTHORIZATION))
            return await route.handler(request, parameters)
        except RequestError as error:
            return self.refuse(error)
        except Exception as error:  # noqa: BLE001 - one request's bug must not take the door down
            return self.refuse(internal(error))

    def refuse(self, error: RequestError) -> web.Response:
        """Count *error* and word it for the client."""
        self.counts.refused(error.reason)
        return refusal(error)


def internal(error: BaseException) -> RequestError:
    """What a client is told of a bug: nothing of it. The log gets its kind and place.

    Not its message, which may hold a payload's values.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
    log.error("a request failed: %s at %s", type(error).__name__, place)
    return RequestError(500, Reason.INTERNAL, "the request failed inside driftgauge; its log says where")
