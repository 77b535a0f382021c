"""The page at ``/``: one self-contained document, made from finished values.

It loads nothing, and its policy lets nothing be loaded: style and script stand in it, named by their
hashes. Every text that came from outside is escaped where it is written.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from importlib import resources
from string import Template

from driftgauge import __version__
from driftgauge.snapshot import Notice, Snapshot, VersionSnapshot
from driftgauge.web.page.features import Line, lines
from driftgauge.web.page.markup import moment, text
from driftgauge.web.page.overview import overview
from driftgauge.web.page.selection import Selection, asked, chosen_version, link, telling_window, windows
from driftgauge.web.page.version import first_name, version_view
from driftgauge.web.ports import Component, Progress, Readiness

__all__ = ["CONTENT_SECURITY_POLICY", "Selection", "View", "asked", "render"]

NOTHING_CHOSEN = Selection()


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
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def render(view: View, selection: Selection = NOTHING_CHOSEN) -> str:
    """The whole page. Cost: about 4 / 7 / 20 ms of 25 / 200 / 1000 features, 50 of them listed."""
    snapshot = view.snapshot
    version = chosen_version(snapshot, selection)
    settled, found = (selection, []) if version is None else _settled(version, selection)
    body = (
        _progress(view.progress),
        _degraded(view.components),
        overview(snapshot, settled, view.notices),
        "" if version is None else _version(snapshot, version, settled, found),
        "" if version is not None else _begin(view.intake_address),
    )
    return _PAGE.substitute(
        style=_STYLE,
        script=_SCRIPT,
        version=text(__version__),
        state=_state(view),
        here="" if version is None else link(_kept(selection, version)),
        main="".join(body),
    )


def _settled(version: VersionSnapshot, selection: Selection) -> tuple[Selection, list[Line]]:
    """The selection with all that the reader left to the page, and the lines of its window."""
    window = selection.window if selection.window in windows(version) else telling_window(version)
    state, found = version.state, lines(version, window)
    settled = replace(selection, model=state.model, version=state.model_version, window=window)
    name = settled.name if any(line.name == settled.name for line in found) else first_name(found)
    feature, output = name or ("", "")
    return replace(settled, feature=None if output or name is None else feature, output=output), found


def _kept(selection: Selection, version: VersionSnapshot) -> Selection:
    """What a refresh asks for: the model that is shown, and of the rest what the reader chose."""
    return replace(selection, model=version.state.model, version=version.state.model_version)


def _version(snapshot: Snapshot, version: VersionSnapshot, settled: Selection, found: list[Line]) -> str:
    state = version.state
    others = [v.state.model_version for v in snapshot.versions if v.state.model == state.model]
    drawn = snapshot.distributions.get((state.model, state.model_version))
    return version_view(version, settled, found, drawn, others)


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
        f'<section class="progress"><label for="progress">{text(progress.label)}: {100 * done:.0f}%</label>'
        f'<progress id="progress" max="1" value="{done:.4f}"></progress></section>'
    )


def _degraded(components: tuple[Component, ...]) -> str:
    items = "".join(
        f'<li><strong class="bad">{text(c.name)}</strong> {text(c.detail)}</li>'
        for c in components
        if not c.up
    )
    return f'<section role="alert"><h2>Degraded</h2><ul>{items}</ul></section>' if items else ""


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
