"""The page at ``/``: one self-contained document, made anew for each request from finished values.

It loads nothing, and its policy lets nothing be loaded: style and script stand in it, named by their
hashes. Every text that came from outside is escaped where it is written.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from string import Template

from driftgauge import __version__
from driftgauge.snapshot import Notice, Snapshot
from driftgauge.web.markup import moment, text
from driftgauge.web.ports import Component, Progress, Readiness
from driftgauge.web.version_view import version_view

# So many of the newest notices are shown.
NOTICES = 20


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows.

    Attributes:
        intake_address: where records can be sent: ``host:port`` or ``unix:/path``; empty when nowhere.
    """

    snapshot: Snapshot
    notices: tuple[Notice, ...]
    components: tuple[Component, ...]
    readiness: Readiness
    progress: Progress | None
    intake_address: str


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"


_STYLE = _asset("page.css")
_SCRIPT = _asset("page.js")
_PAGE = Template(_asset("page.html"))

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render(view: View) -> str:
    """The whole page. Cost: 1 ms for 25 features in 3 windows."""
    versions = view.snapshot.versions
    sections = (
        _progress(view.progress),
        _degraded(view.components),
        *(version_view(version, place) for place, version in enumerate(versions)),
        "" if versions else _begin(view.intake_address),
        _notices(view.notices),
    )
    return _PAGE.substitute(
        style=_STYLE,
        script=_SCRIPT,
        version=text(__version__),
        state=_state(view),
        main="".join(sections),
    )


def _state(view: View) -> str:
    readiness = view.readiness
    pill = '<span class="pill good">ready</span>'
    if not readiness.ready:
        pill = f'<span class="pill warn">not ready: {text(readiness.reason)}</span>'
    at = view.snapshot.evaluated_at
    return f'{pill} <span class="soft">evaluated {moment(at) if at else "never"}</span>'


def _progress(progress: Progress | None) -> str:
    if progress is None:
        return ""
    done = min(max(progress.done, 0.0), 1.0)
    return (
        f"<section><h3>{text(progress.label)}: {100 * done:.0f}%</h3>"
        f'<progress max="1" value="{done:.4f}"></progress></section>'
    )


def _degraded(components: tuple[Component, ...]) -> str:
    items = "".join(
        f'<li><strong class="bad">{text(c.name)}</strong> {text(c.detail)}</li>'
        for c in components
        if not c.up
    )
    return f"<section><h2>Degraded</h2><ul>{items}</ul></section>" if items else ""


def _notices(notices: tuple[Notice, ...]) -> str:
    items = "".join(
        f'<li><span class="soft">{moment(notice.time)}</span> {_about(notice.model)}{text(notice.text)}</li>'
        for notice in reversed(notices[-NOTICES:])
    )
    return f"<section><h2>What happened</h2><ul>{items}</ul></section>" if items else ""


def _about(model: str) -> str:
    return f"<strong>{text(model)}</strong> " if model else ""


def _begin(intake_address: str) -> str:
    """What to do first."""
    record = {
        "model": "churn",
        "prediction_id": "a1",
        "features": {"customer_age": 41, "plan": "enterprise"},
        "score": 0.83,
    }
    outcome = {"model": "churn", "prediction_id": "a1", "outcome": 1}
    if not intake_address:
        return "<section><h2>Nothing received yet</h2><p>No door for records is open.</p></section>"
    commands = "\n".join(
        _curl(intake_address, path, json.dumps(body))
        for path, body in (("predictions", record), ("outcomes", outcome))
    )
    return (
        "<section><h2>Nothing received yet</h2><p>Send a prediction, and later its outcome:</p>"
        f"<pre>{text_lines(commands)}</pre>"
        "<p>Features, their kinds and a first reference are found by themselves. The numbers appear here "
        'and at <a href="metrics">/metrics</a> after the next evaluation.</p></section>'
    )


def _curl(address: str, path: str, body: str) -> str:
    host, socket = address, ""
    if address.startswith("unix:"):
        host, socket = "localhost", f"--unix-socket {address.removeprefix('unix:')} "
    return f"curl {socket}http://{host}/v1/{path} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"


def text_lines(lines: str) -> str:
    """Several lines as text of the page, each escaped."""
    return "\n".join(text(line) for line in lines.split("\n"))
