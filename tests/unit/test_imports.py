"""The direction of imports: upper floors import lower ones, never the reverse."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

# Top modules of driftgauge, the highest floor first. A floor may import itself and what is below it.
FLOORS = (
    {"__main__"},
    {"cli"},
    {"app", "docs"},
    {
        "evaluate",
        "monitor",
        "narrate",
        "trigger",
        "injector",
        "web",
        "artefacts",
        "demo",
        "profile",
        "check",
        "export",
    },
    {
        "reference",
        "learning",
        "windows",
        "hashing",
        "joins",
        "judged",
        "view",
        "store",
        "ingest",
        "exposition",
    },
    {"layout", "sketches"},
    {"config_file"},
    {"stats"},
    {"metrics"},
    {"config", "records", "snapshot", "errors"},
    {"trigger_config", "config_alerts"},
    {"units", "quantities"},
    {"__init__"},
)
FLOOR = {module: number for number, floor in enumerate(FLOORS) for module in floor}

STRANGERS = {"store", "ingest", "web", "exposition", "artefacts"}
ACQUAINTED = {("web", "ingest")}
ONLY_CLI_IMPORTS = {"app", "docs"}
IMPORTS_NOTHING_OF_OURS = {"stats"}

# What `serve` must not load: start time, memory, and the hot path's independence of them.
HEAVY = ("scipy.stats", "pandas", "pyarrow", "sqlite_utils", "sklearn")


class Import(NamedTuple):
    where: str
    importer: str
    imported: str


def top(dotted: str) -> str:
    """The top module of a dotted name within driftgauge; the package itself is __init__."""
    return dotted.split(".")[1] if "." in dotted else "__init__"


def names(node: ast.AST, package: tuple[str, ...], tops: set[str]) -> Iterator[str]:
    """The dotted names of ours that a node imports; `package` is the one the module lies in."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else ()
        source = ".".join((*above, *(node.module or "").split("."))).strip(".")
        if source == "driftgauge":
            yield from (f"driftgauge.{a.name}" if a.name in tops else source for a in node.names)
        else:
            yield source
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))


def imports(package: Path) -> list[Import]:
    """Each import of ours by ours, those inside functions and under TYPE_CHECKING among them."""
    tops = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    found = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        importer = inside.parts[0].removesuffix(".py")
        lies_in = ("driftgauge", *inside.parts[:-1])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in names(node, lies_in, tops):
                if name.split(".")[0] == "driftgauge":
                    line = getattr(node, "lineno", 0)
                    found.append(Import(f"src/driftgauge/{inside}:{line}", importer, top(name)))
    return [entry for entry in found if entry.importer != entry.imported]


def forbidden(importer: str, imported: str) -> bool:
    upwards = FLOOR[imported] < FLOOR[importer]
    strange = {importer, imported} <= STRANGERS and (importer, imported) not in ACQUAINTED
    reserved = imported in ONLY_CLI_IMPORTS and importer != "cli"
    alone = importer in IMPORTS_NOTHING_OF_OURS and imported != "__init__"
    return upwards or strange or reserved or alone


def violations(package: Path) -> list[str]:
    """One line for each import that breaks the direction."""
    return [
        f"{where} imports driftgauge.{imported}: {importer} may not import {imported}"
        for where, importer, imported in imports(package)
        if {importer, imported} <= FLOOR.keys() and forbidden(importer, imported)
    ]


def homeless(package: Path) -> list[str]:
    """The top modules that stand on no floor."""
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))}
    return sorted(modules - FLOOR.keys())


def write(package: Path, **modules: str) -> Path:
    package.mkdir()
    for dotted, text in {"__init__": "", **modules}.items():
        path = package.joinpath(*dotted.split("__dot__")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, encoding="utf-8")
    return package


def test_no_import_goes_up(package):
    found = violations(package)
    assert not found, "\n" + "\n".join(found)


def test_every_top_module_has_a_floor(package):
    found = homeless(package)
    assert not found, f"give it a floor in {Path(__file__).name}: {', '.join(found)}"


def test_no_modules_import_one_another_in_a_circle(package):
    graph: dict[str, set[str]] = {}
    for _, importer, imported in imports(package):
        graph.setdefault(importer, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' <- '.join(error.args[1])}")


def test_serve_loads_nothing_heavy():
    code = (
        "import sys, driftgauge.app\n"
        f"print(*[name for name in {HEAVY} if any(m == name or m.startswith(name + '.') for m in sys.modules)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [], "driftgauge.app imports what serve must not load"


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("config", "from driftgauge.store import rows", "config.py:1 imports driftgauge.store: config may not import store"),
        ("metrics", "\n\ndef f():\n    import driftgauge.layout", "metrics.py:4 imports driftgauge.layout: metrics may not import layout"),
        ("store__dot__rows", "from .. import ingest", "store/rows.py:1 imports driftgauge.ingest: store may not import ingest"),
        ("store__dot__rows", "from ..ingest import dialect", "store/rows.py:1 imports driftgauge.ingest: store may not import ingest"),
        ("web__dot__page", "from driftgauge import app", "web/page.py:1 imports driftgauge.app: web may not import app"),
        ("stats", "from driftgauge.errors import StoreError", "stats.py:1 imports driftgauge.errors: stats may not import errors"),
        ("records", "import_module('driftgauge.web.page')", "records.py:1 imports driftgauge.web: records may not import web"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_named_with_its_line(tmp_path, module, text, complaint):
    others = {"ingest": "", "app": "", "errors": ""}
    package = write(tmp_path / "driftgauge", **{**others, module: text})
    assert violations(package) == [f"src/driftgauge/{complaint}"]


def test_a_module_without_a_floor_is_named(tmp_path):
    assert homeless(write(tmp_path / "driftgauge", helpers="", errors="")) == ["helpers"]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("web__dot__intake", "from driftgauge.ingest import dialect"),
        ("store__dot__rows", "from .schema import migrate"),
        ("stats", "from driftgauge import __version__"),
        ("cli", "def serve():\n    from driftgauge.app import run"),
        ("monitor", "from driftgauge import windows, layout"),
    ],
)
def test_a_right_import_is_let_pass(tmp_path, module, text):
    others = {"ingest": "", "app": "", "windows": "", "layout": ""}
    assert violations(write(tmp_path / "driftgauge", **{**others, module: text})) == []
