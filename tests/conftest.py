"""What all tests share: where the data lies, which tools there are, and what may be skipped."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

import driftgauge

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = Path(driftgauge.__file__).resolve().parent
ELEC2 = Path(os.environ.get("DRIFTGAUGE_ELEC2_DIR", REPOSITORY.parent / "shared" / "data" / "elec2"))

# In CI a tool that is missing is a fault of CI, so nothing may hide behind a skip.
MUST_NOT_SKIP = os.environ.get("DRIFTGAUGE_CI") == "1"

# The tests start hundreds of processes, and compiling is more than half of what a start costs.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

hypothesis.settings.register_profile("driftgauge", deadline=None, derandomize=MUST_NOT_SKIP, print_blob=True)
hypothesis.settings.load_profile("driftgauge")


def pytest_sessionstart() -> None:
    """With DRIFTGAUGE_EXPECT_WHEEL=1 the tests run against an installed wheel, or not at all."""
    site_packages = Path(sysconfig.get_path("purelib")).resolve()
    if os.environ.get("DRIFTGAUGE_EXPECT_WHEEL") == "1" and site_packages not in PACKAGE.parents:
        pytest.exit(f"driftgauge: expected the wheel in {site_packages}, found {PACKAGE}", returncode=3)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if (ELEC2 / "records.csv.gz").is_file():
        return
    # .ci/run knows a skip that is allowed by the word that its reason begins with.
    absent = pytest.mark.skip(reason="elec2: no records there; DRIFTGAUGE_ELEC2_DIR names their folder")
    for item in items:
        if item.get_closest_marker("needs_elec2"):
            item.add_marker(absent)


def find_tool(name: str) -> str:
    """Path of a command, this environment's own first; skips naming it, or fails in CI."""
    own = str(Path(sys.executable).parent)
    path = shutil.which(name, path=os.pathsep.join((own, os.environ.get("PATH", os.defpath))))
    if path is None and MUST_NOT_SKIP:
        pytest.fail(f"{name} is not installed, and with DRIFTGAUGE_CI=1 no tool may be missing")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """`require_tool("promtool")` is the tool's path; without the tool the test skips, or fails in CI."""
    return find_tool


@pytest.fixture(scope="session")
def require_node_modules() -> Callable[[], Path]:
    """`require_node_modules()` is the folder of what tests/node installs; without it the test skips."""

    def found() -> Path:
        folder = REPOSITORY / "tests" / "node" / "node_modules"
        if not folder.is_dir():
            reason = "node modules: `npm ci --prefix tests/node` installs Grafana's types and the operator's schemas"
            pytest.skip(reason)
        return folder

    return found


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top of the repository: rules, dashboards, examples, documents."""
    return REPOSITORY


@pytest.fixture(scope="session")
def package() -> Path:
    """The package that is tested: of this tree, or of the installed wheel."""
    return PACKAGE


@pytest.fixture(scope="session")
def data() -> Path:
    """tests/data: golden numbers and hostile inputs."""
    return REPOSITORY / "tests" / "data"


@pytest.fixture(scope="session")
def demo_data() -> Path:
    """The records that the package carries: bike_sharing/ and car_loan/."""
    return PACKAGE / "demo" / "data"


@pytest.fixture(scope="session")
def elec2() -> Path:
    """The elec2 records' folder; ask for it only in tests marked needs_elec2."""
    return ELEC2
