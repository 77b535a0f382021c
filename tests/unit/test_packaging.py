"""What is installed, and what it says of itself."""

from __future__ import annotations

import csv
import gzip
import re
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import driftgauge
from driftgauge.artefacts.manifests import Sidecar, container


@pytest.fixture(scope="module")
def pyproject(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def locked(repository: Path) -> dict[str, str]:
    """Version by name of all that the lock file pins."""
    lines = (repository / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def requirements(pyproject: dict[str, Any]) -> list[Requirement]:
    extras = pyproject["project"]["optional-dependencies"].values()
    texts = [*pyproject["project"]["dependencies"], *(text for extra in extras for text in extra)]
    return [Requirement(text) for text in texts if not text.startswith("driftgauge")]


def test_every_dependency_has_a_floor_and_nothing_else(pyproject):
    # Its epochs sort Grafana's versions backwards: a floor would choose the oldest.
    pinned = {"grafana-foundation-sdk": ["=="]}
    loose = [
        str(r)
        for r in requirements(pyproject)
        if [s.operator for s in r.specifier] != pinned.get(r.name, [">="])
    ]
    assert not loose, f"expected one floor (>=) each: {loose}"


def test_every_dependency_has_its_reason(repository):
    lines = (repository / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index("dependencies = [")
    end = lines.index("[project.scripts]")
    listed = [number for number in range(start, end) if re.match(r'  ".*",', lines[number])]
    bare = [lines[n] for n in listed if "#" not in lines[n] and not lines[n - 1].strip().startswith("#")]
    assert not bare, f"expected a comment with the reason beside or above: {bare}"
    assert len(listed) >= 20


def test_the_lock_file_satisfies_every_floor(pyproject, locked):
    wrong = [
        f"{r} (locked: {locked.get(canonicalize_name(r.name))})"
        for r in requirements(pyproject)
        if not r.specifier.contains(locked.get(canonicalize_name(r.name), "0"))
    ]
    assert not wrong, f"run 'make lock': {wrong}"


def test_the_lock_file_holds_pins_alone(repository):
    lines = (repository / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[^;@/]+(; .*)?", line)]
    assert not odd, f"expected name==version, found: {odd}"


def test_one_version_everywhere(repository):
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == driftgauge.__version__
    assert version("driftgauge") == driftgauge.__version__
    for chart in ("driftgauge", "driftgauge-sidecar"):
        told = yaml.safe_load((repository / "helm" / chart / "Chart.yaml").read_text(encoding="utf-8"))
        assert told["version"] == told["appVersion"] == driftgauge.__version__
    library = repository / "helm" / "driftgauge-sidecar" / "templates" / "_sidecar.tpl"
    assert f'default "{driftgauge.__version__}"' in library.read_text(encoding="utf-8")


def test_the_command_is_installed():
    [command] = entry_points(group="console_scripts", name="driftgauge")
    assert command.value == "driftgauge.cli:main"
    assert callable(command.load())


def test_the_package_is_typed(package):
    assert (package / "py.typed").is_file()


@pytest.mark.parametrize(
    ("file", "rows", "columns"),
    [
        ("bike_sharing/records.csv.gz", 17_379, {"id", "timestamp", "cnt", "prediction", "chunk", "temp"}),
        ("car_loan/reference.csv.gz", 50_000, {"id", "timestamp", "y_pred_proba", "y_pred", "repaid", "car_value"}),
        ("car_loan/analysis.csv.gz", 50_000, {"id", "timestamp", "y_pred_proba", "y_pred", "car_value"}),
        ("car_loan/analysis_targets.csv.gz", 50_000, {"id", "repaid"}),
    ],
)  # fmt: skip
def test_the_package_carries_the_records_of_the_demo(demo_data, file, rows, columns):
    with gzip.open(demo_data / file, "rt", encoding="utf-8", newline="") as text:
        reader = csv.DictReader(text)
        assert sum(1 for _ in reader) == rows
    assert columns <= set(reader.fieldnames or ())


def test_every_licence_is_told(repository, demo_data, data):
    assert "Apache License" in (repository / "LICENSE").read_text(encoding="utf-8")
    for folder in (demo_data, data):
        text = (folder / "README.md").read_text(encoding="utf-8")
        untold = [path.name for path in folder.iterdir() if path.is_dir() and f"`{path.name}/" not in text]
        assert not untold, f"{folder}/README.md: expected source and licence of {untold}"


def test_the_makefile_and_ci_run_the_same_tests(repository):
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    ci = (repository / ".ci" / "run").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    used = set(re.findall(r"^make (?:--\S+ )*([a-z ]+)", ci, re.MULTILINE))
    assert {
        "demo",
        "test",
        "lint",
        "types",
        "check",
        "generate",
        "bench",
        "build",
        "clean",
        "help",
    } <= targets
    assert {word for words in used for word in words.split()} <= targets
    assert "make test" in ci


def test_the_image_and_the_manifests_start_the_sidecar_alike(repository):
    """Flags and user of the manifests are those of the image, so that neither is true alone."""
    sidecar = container(Sidecar())
    dockerfile = (repository / "Dockerfile").read_text(encoding="utf-8")
    [command] = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    flags = yaml.safe_load(command)
    assert sidecar["args"] == [flags[0], *(f"{k}={v}" for k, v in zip(flags[1::2], flags[2::2], strict=True))]
    assert f"USER {sidecar['securityContext']['runAsUser']}:" in dockerfile
    assert not {"livenessProbe", "readinessProbe", "startupProbe"} & sidecar.keys()
