"""The image, really built: what is in it, and that it serves read-only, without a shell, and stops in time."""

from __future__ import annotations

import os
import shutil

import pytest
from tests.e2e.harness import DEADLINE, total
from tests.e2e.imaging import Builder

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RECORDS = 1_000


@pytest.fixture(scope="module")
def image(repository, tmp_path_factory, require_tool):
    if os.geteuid() != 0:
        pytest.skip("an image is built as root")
    builder = Builder(tmp_path_factory.mktemp("image"), require_tool("buildah"), require_tool("mmdebstrap"))
    built = builder.build(repository)
    for shell in ("bin/sh", "bin/bash", "bin/dash"):
        (built.root / shell).unlink(missing_ok=True)
    yield built
    builder.close()


@pytest.fixture
def volume(tmp_path, image):
    folder = tmp_path / "volume"
    folder.mkdir()
    shutil.chown(folder, *map(int, image.config["User"].split(":")))
    for parent in folder.parents[:3]:  # pytest's folders are for their owner only
        parent.chmod(0o755)
    return folder


def test_its_configuration_suits_a_restricted_pod(image):
    user, group = image.config["User"].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert image.config["Entrypoint"] == ["driftgauge"]
    assert set(image.config["Volumes"]) == {"/data"}
    assert set(image.config["ExposedPorts"]) == {"9877/tcp", "9878/tcp"}
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.title"] == "driftgauge"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_its_size_and_layers(image, capsys):
    package = image.megabytes("opt/driftgauge")
    with capsys.disabled():
        print(f"\nthe image adds {package} MB in {image.layers} layers to its base ...", end="")
    assert package <= 250
    assert image.layers <= 3
    assert not list((image.root / "opt/driftgauge").rglob("site-packages/*/tests"))


def test_it_serves_read_only_without_a_shell_and_stops_within_two_seconds(image, volume, tmp_path):
    first = image.start(volume, tmp_path / "first.log").wait_ready()
    records = [
        {"prediction_id": f"p{i}", "model": "churn", "score": i / RECORDS, "features": {"age": i % 50}}
        for i in range(RECORDS)
    ]
    status, _, body = first.http().post("/v1/predictions", records)
    assert status == 200, body
    assert body["accepted"] == RECORDS
    assert total(first.samples(), "predictions_total", model="churn") == RECORDS
    assert first.stop() < 2
    assert first.process.returncode == 0, first.text

    second = image.start(volume, tmp_path / "second.log").wait_ready()
    second.predicted(RECORDS)
    status, _, body = second.http().post("/v1/predictions", records)
    assert body["duplicates"] == RECORDS
    assert second.stop() < 2


def test_the_health_check_needs_no_shell(image, volume, tmp_path):
    serving = image.start(volume, tmp_path / "serve.log").wait_ready()
    url = f"http://{serving.address('observation')}"
    asked = [image.start(volume, tmp_path / f"{i}.log", ["healthcheck", "--url", url]) for i in range(2)]
    assert [each.process.wait(DEADLINE) for each in asked] == [0, 0], asked[0].text
    serving.stop()
    refused = image.start(volume, tmp_path / "refused.log", ["healthcheck", "--url", url])
    assert refused.process.wait(DEADLINE) == 1
    assert "expected a running driftgauge" in refused.text
