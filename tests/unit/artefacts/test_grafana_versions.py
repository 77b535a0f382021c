"""Dashboards beside the types that Grafana 10, 11 and 12 publish: TypeScript's compiler reads one as the other.

What those types lack although Grafana reads it is allowed by name: the query and texts of a Prometheus
annotation, and what the variables' editor shows.
"""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.conftest import REPOSITORY

from driftgauge.artefacts.dashboards import DASHBOARDS, text

NODE = REPOSITORY / "tests" / "node"
TYPES = {
    "10.4": "grafana-10/dist/esm/raw/dashboard/x/dashboard_types.gen",
    "11.6": "grafana-11/dist/esm/raw/dashboard/x/dashboard_types.gen",
    "12.4": "grafana-12/dist/types/raw/dashboard/x/types.gen",
}
# JSON has an enumeration's value where TypeScript wants its name.
BOARD = """\
import type {{ AnnotationQuery, Dashboard, VariableModel }} from {types};
type Plain<T> = T extends string ? `${{T}}` : T extends number | boolean | null | undefined ? T
  : T extends object ? {{ [K in keyof T]: Plain<T[K]> }} : T;
type Annotation = Plain<AnnotationQuery>
  & {{ expr?: string; titleFormat?: string; textFormat?: string; useValueForTime?: boolean | "on" }};
type Variable = Omit<Plain<VariableModel>, "current">
  & {{ definition?: string; current?: Plain<VariableModel["current"]> | Record<string, never> }};
type Board = Omit<Plain<Dashboard>, "annotations" | "templating">
  & {{ annotations: {{ list: Annotation[] }}; templating: {{ list: Variable[] }} }};
export const boards: Board[] = {boards};
"""
STRICT = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")


@pytest.fixture
def complaints(tmp_path, require_tool, require_node_modules):
    """What a version's types find wrong with dashboards."""
    modules = require_node_modules()

    def found(version, boards):
        file = tmp_path / "boards.ts"
        types = json.dumps(str(modules / TYPES[version]))
        file.write_text(BOARD.format(types=types, boards=json.dumps(boards, indent=1)), encoding="utf-8")
        compiler = (require_tool("node"), str(modules / "typescript" / "bin" / "tsc"), *STRICT, str(file))
        done = subprocess.run(compiler, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode == 0) == (not done.stdout), done.stdout + done.stderr
        return done.stdout

    return found


def boards():
    return [json.loads(text(board)) for board in DASHBOARDS]


@pytest.mark.parametrize("version", TYPES)
def test_every_version_of_grafana_takes_the_dashboards(complaints, version):
    assert not complaints(version, boards())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda panel: panel["gridPos"].update(w="wide"), "'string' is not assignable to type 'number'"),
        (lambda panel: panel["fieldConfig"]["defaults"].update(unti="s"), "'\"unti\"' does not exist"),
        (
            lambda panel: panel["fieldConfig"]["defaults"].update(
                thresholds={"mode": "relative", "steps": []}
            ),
            "'\"relative\"' is not assignable",
        ),
    ],
)
def test_the_types_find_what_grafana_would_not_read(complaints, change, words):
    broken = boards()[0]
    change(next(panel for panel in broken["panels"] if "fieldConfig" in panel))
    assert words in complaints("12.4", [broken])
