"""The README's commands run, and print what it says, but for the numbers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from tests.conftest import REPOSITORY
from tests.e2e.harness import DEADLINE, Http, free_port, poll

from driftgauge.config_file import load
from driftgauge.metrics import METRICS

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
SERVE = "driftgauge serve"
DOOR = "127.0.0.1:9877"


def blocks(kind):
    return [found["body"] for found in BLOCK.finditer(README) if found["kind"] == kind]


def commands(block):
    """Each command after a `$ `, and the lines below it."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        else:
            found[-1][1].append(line)
    return found


def shape(line):
    """The line with its numbers taken out."""
    return re.sub(r"\d+(\.\d+)?(e[+-]\d+)?", "N", line)


@dataclass
class Shell:
    """Runs commands one by one in a folder; `&` starts a server, `kill %1` ends it."""

    folder: Path
    port: int = field(default_factory=free_port)
    server: subprocess.Popen | None = None

    def __post_init__(self):
        shutil.copytree(REPOSITORY / "examples", self.folder / "examples")
        programs = self.folder / "bin"
        programs.mkdir()
        for name, arguments in (("driftgauge", " -m driftgauge"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
            (programs / name).chmod(0o755)
        self.environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def run(self, command):
        """What it prints; the README's port is one that is free."""
        own = f"127.0.0.1:{self.port}"
        command = command.replace(DOOR, own)
        command = command.replace(SERVE, f"{SERVE} --listen {own} --metrics-listen 127.0.0.1:0")
        command = command.replace("churn.py", f"churn.py --url http://{own}")
        if command == "kill %1":
            return self.stop()
        if command.endswith(" &"):
            return self.start(command.removesuffix(" &"))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=2 * DEADLINE,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def start(self, command):
        assert self.server is None, "the server before was not stopped"
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        client = Http(f"127.0.0.1:{self.port}")
        poll(lambda: client.get("/readyz")[0] == 200, "not ready", self.folder / "server.log")
        client.close()
        return ""

    def stop(self):
        self.server.terminate()
        code, self.server = self.server.wait(DEADLINE), None
        assert code == 0, (self.folder / "server.log").read_text()
        return ""


@pytest.fixture
def shell(tmp_path, require_tool):
    require_tool("curl")
    found = Shell(tmp_path)
    yield found
    if found.server is not None:
        found.server.kill()
        found.server.wait()


@pytest.mark.e2e
@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: shape(block.splitlines()[0]))
def test_the_commands_print_what_the_readme_says(shell, block):
    for command, expected in commands(block):
        printed = shell.run(command).splitlines()
        assert [shape(line) for line in printed] == [shape(line) for line in expected], command


def test_there_are_commands_to_run():
    assert len(blocks("console")) >= 2
    assert all(commands(block) for block in blocks("console"))


@pytest.mark.parametrize("block", blocks("yaml"))
def test_the_configuration_is_one(block, tmp_path):
    file = tmp_path / "readme.yaml"
    # What stands below the models goes into the same file.
    whole = block if "models:" in block else blocks("yaml")[0] + block
    file.write_text(whole, encoding="utf-8")
    assert set(load(file).models) == set(yaml.safe_load(whole)["models"])


def test_every_target_of_make_is_there():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= named
    assert named <= targets


def test_every_metric_is_one():
    named = set(re.findall(r"`(driftgauge_[a-z0-9_]+)`", README))
    assert len(named) > 10
    assert named <= {metric.name for metric in METRICS}
    for ending in re.findall(r"`…(_[a-z_]+)`", README):
        assert any(metric.name.endswith(ending) for metric in METRICS), ending


@pytest.mark.parametrize("file", ["README.md", "docs/how-it-works.md", "examples/README.md"])
def test_every_link_leads_somewhere(file):
    text = (REPOSITORY / file).read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        assert not path.startswith("http"), target
        assert ((REPOSITORY / file).parent / path).exists() if path else anchor in headings, target


def test_the_bounds_are_those_of_the_configuration():
    from driftgauge.config import Config

    limits, config = Config().limits, Config()
    mib = 1 << 20
    for row in (
        f"| models | {limits.models} |",
        f"| versions of a model | {limits.versions} |",
        f"| features of a model | {limits.features:,} |",
        f"| categories of a feature | {limits.categories} |",
        f"| segment columns, values of each | {limits.segment_columns}, {limits.segment_values} |",
        f"| classes | {limits.classes} |",
        f"| series of a model version | {limits.series:,} |",
        f"| records that wait for their other half | {config.store.pending // mib} MiB |",
        f"| a request, inflated | {config.intake.max_body // mib} MiB, {config.intake.max_inflated // mib} MiB |",
        f"| requests that wait | {config.intake.queue // mib} MiB |",
    ):
        assert row in README
