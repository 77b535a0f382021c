"""Runs commands as a shell would, without a process."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from driftgauge.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`run("check", "x.yaml")` in an empty directory; exit_code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, **keywords):
        result = CliRunner().invoke(main, [str(a) for a in arguments], **keywords)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
