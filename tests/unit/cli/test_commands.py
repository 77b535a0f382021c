"""All commands: help, exit codes, one line for each failure, and what each must not load."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest

import driftgauge
from driftgauge.cli import main, manual


def commands(group=main, prefix=()):
    """Every command with its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*prefix, name))
        yield (*prefix, name), command


COMMANDS = dict(commands())


def test_the_version(run):
    assert run("--version").output == f"driftgauge, version {driftgauge.__version__}\n"


def test_the_commands_are_these():
    assert sorted(" ".join(words) for words in COMMANDS) == [
        "check", "demo", "export", "healthcheck", "history", "injector", "inspect", "manifest", "profile", "reference",
        "reference accept", "reference export", "reference relearn", "rules", "serve", "trigger",
    ]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_is_complete(run, words):
    result = run(*words, "--help")
    assert result.exit_code == 0
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert all(flag in result.output for flag in parameter.opts)
    assert COMMANDS[words].get_short_help_str(64)[-3:] != "...", "the first line of help is too long"


def sections(page):
    """Text by heading."""
    parts = re.split(r"(?m)^## `driftgauge ([a-z ]+)`$", page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_flag_is_documented(repository, words):
    text = sections((repository / "docs" / "commands.md").read_text(encoding="utf-8"))[" ".join(words)]
    for parameter in COMMANDS[words].params:
        names = parameter.opts if isinstance(parameter, click.Option) else [parameter.human_readable_name]
        assert all(f"`{name}" in text for name in names), parameter.name


def test_the_document_is_checked_in(repository):
    page = (repository / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == manual.page(), "run `python -m driftgauge.cli.manual`"


def test_the_document_has_no_command_or_flag_that_is_not_there(repository):
    found = sections((repository / "docs" / "commands.md").read_text(encoding="utf-8"))
    assert sorted(found) == sorted(" ".join(words) for words in COMMANDS)
    for name, text in found.items():
        flags = {flag for p in COMMANDS[tuple(name.split())].params for flag in p.opts}
        rows = set(re.findall(r"(?m)^\| `(--?[a-z-]+)", text))
        assert rows <= flags, name


@pytest.mark.parametrize(
    ("arguments", "code", "stderr"),
    [
        (["nonsense"], 2, "Error: No such command 'nonsense'."),
        (["check"], 2, "Error: Missing argument 'FILE'."),
        (["serve", "--listen", "9877"], 2, "Error: Invalid value for '--listen': expected host:port, [ipv6]:port or unix:/path, got '9877'"),
        (["serve", "--metrics-listen", "unix:/x"], 2, "Error: Invalid value for '--metrics-listen': expected host:port, got 'unix:/x'"),
        (["serve", "--listen", "127.0.0.1:9878"], 2, "driftgauge: the command line: observation.listen: expected another address than intake.listen, got '127.0.0.1:9878'"),
        (["serve", "--strict", "--config", "none.yaml"], 2, "driftgauge: none.yaml: expected a file, got none of that name"),
        (["demo", "--duration", "60"], 2, "Error: Invalid value for '--duration': expected a duration with its unit (ms, s, m, h, d or w) such as 30s, got '60'"),
        (["profile", "none.csv"], 1, "driftgauge: none.csv: expected a file, got none of that name"),
        (["profile", "none.csv", "--delimiter", "ab"], 2, "Error: Invalid value for --delimiter: expected one character or TAB, got 'ab'"),
        (["profile", "none.csv", "--model", "m"], 2, "Error: --model: expected --model-config beside it, got none"),
        (["profile", "none.csv", "--model-config", "none.yaml"], 2, "driftgauge: none.yaml: expected a file, got none of that name"),
        (["export", "--model", "m", "--since", "yesterday"], 2, "Error: Invalid value for '--since': expected RFC 3339 (2026-01-31T00:00:00Z), a date or epoch seconds, got 'yesterday'"),
        (["export", "--model", "m"], 1, "driftgauge: driftgauge-data/driftgauge.sqlite: expected the database of `driftgauge serve`, found no such file"),
        (["inspect", "--data", "nowhere"], 1, "driftgauge: nowhere/driftgauge.sqlite: expected the database of `driftgauge serve`, found no such file"),
        (["healthcheck", "--url", "ftp://x"], 1, "driftgauge: --url: expected http://host:port or unix:/path, got 'ftp://x'"),
        (["history", "--model", "m", "--token-file", "none"], 1, "driftgauge: --token-file none: can't be read: No such file or directory"),
    ],
)  # fmt: skip
def test_failures_are_one_line_and_a_code(run, arguments, code, stderr):
    result = run(*arguments)
    assert result.exit_code == code
    assert result.stderr.splitlines()[-1] == stderr
    assert "Traceback" not in result.stderr


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


HEAVY = (
    "scipy.stats",
    "pandas",
    "pyarrow",
    "sqlite_utils",
    "sklearn",
    "driftgauge.profile",
    "driftgauge.export",
)


def test_serve_loads_nothing_heavy():
    code = f"""
import sys, driftgauge.app
driftgauge.app.run = lambda config, **keywords: 0
from driftgauge.cli import main, manual
main(["serve", "--strict"], standalone_mode=False)
print(*[m for m in sys.modules if m.startswith({HEAVY!r})])
"""
    assert python(code) == []


def test_serve_gives_numpy_one_thread_before_it_is_loaded():
    code = """
import os, sys, types
app = types.ModuleType("driftgauge.app")
app.run = lambda config, **keywords: print("numpy" in sys.modules, os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"])
sys.modules["driftgauge.app"] = app
os.environ["OPENBLAS_NUM_THREADS"] = "2"
from driftgauge.cli import main, manual
main(["serve"], standalone_mode=False)
"""
    assert python(code) == ["False", "1", "2"]


def test_the_command_line_itself_is_light():
    assert (
        python(
            "import sys, driftgauge.cli; print(*{'numpy', 'aiohttp', 'ssl', 'asyncio'} & set(sys.modules))"
        )
        == []
    )
