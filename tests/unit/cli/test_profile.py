"""`driftgauge profile`: flags, output, and what it says beside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from driftgauge import reference as references


@pytest.fixture
def train(tmp_path):
    rows = [
        f"{i},2026-01-0{1 + i // 50},{i % 7}.5,{'ab'[i % 2]},{(i % 10) / 10},{i % 2},c{i}" for i in range(150)
    ]
    (tmp_path / "train.csv").write_text("row,ts,x,plan,score,paid,customer\n" + "\n".join(rows) + "\n1,2\n")
    return Path("train.csv")


FLAGS = ("--time", "ts", "--score", "score", "--outcome", "paid", "--id", "row")


def test_the_reference_goes_to_a_file_here(run, train, tmp_path):
    result = run("profile", train, *FLAGS)
    assert result.exit_code == 0
    made = references.load(tmp_path / "train.reference.json")
    assert made.bins.numeric == ("f:x", "o:score")
    assert re.sub(r"[0-9.]+ s, [0-9,]+ rows/s", "T", result.stdout).splitlines() == [
        "name          kind         missing  values  min  mean  max",
        "x             numeric         0.0%       7  0.5  3.46  6.5",
        "(score)       numeric         0.0%      10    0  0.45  0.9",
        "plan          categorical     0.0%       2    -     -    -",
        "customer      identifier      0.0%       -    -     -    -",
        "(prediction)  categorical     0.0%       2    -     -    -",
        "",
        f"150 records of 3 days (2026-01-01 to 2026-01-03), reference {made.id}, T",
        "task: binary (guessed; --task says it)",
        "relation: 150 outcomes by bin, in 3 periods",
        "outcome 'paid': 2 values; not in the reference",
        "wrote train.reference.json",
    ]
    assert result.stderr.splitlines() == [
        "train.csv: 'customer' is an identifier: most of its texts differ; watched for missing values only",
        "train.csv: 1 row left out: expected 7 fields (first: line 152, 2 fields)",
    ]
    assert not list(tmp_path.glob("*.partial"))


def test_it_can_go_to_stdout_alone(run, train, tmp_path):
    result = run("profile", train, *FLAGS, "--output", "-")
    assert json.loads(result.stdout)["records"] == 150
    assert "(score)" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["train.csv"]


def test_a_configuration_says_kinds_segments_and_limits(run, train, tmp_path):
    (tmp_path / "config.yaml").write_text(
        "models:\n  churn:\n    segments: [plan]\n    features: {x: {kind: categorical}}\n  other: {}\n"
        "limits: {categories: 3}\n"
    )
    run(
        "profile",
        train,
        *FLAGS,
        "--model-config",
        "config.yaml",
        "--model",
        "churn",
        "-o",
        "out.json",
        "--task",
        "regression",
    )
    bins = references.load(tmp_path / "out.json").bins
    assert (bins.numeric, bins.categorical, bins.limit) == (("o:score",), ("f:x", "f:customer"), 3)
    run(
        "profile",
        train,
        *FLAGS,
        "--model-config",
        "config.yaml",
        "-o",
        "out.json",
        "--categories",
        7,
        "--ignore",
        "customer",
    )
    bins = references.load(tmp_path / "out.json").bins
    assert (bins.numeric, bins.categorical, bins.limit) == (("f:x", "o:score"), ("f:plan", "o:prediction"), 7)


def test_a_model_that_the_configuration_does_not_name(run, train, tmp_path):
    (tmp_path / "config.yaml").write_text("models: {churn: {}}\n")
    result = run("profile", train, "--model-config", "config.yaml", "--model", "loan")
    assert result.exit_code == 2
    assert (
        result.stderr.splitlines()[-1]
        == "Error: --model: expected one of config.yaml's models (churn), got 'loan'"
    )


def test_where_it_can_not_be_written(run, train):
    result = run("profile", train, *FLAGS, "--output", "none/out.json")
    assert (result.exit_code, result.stderr) == (
        1, "driftgauge: none/out.json: can't be written: No such file or directory\n",
    )  # fmt: skip


def test_other_delimiters_and_forms(run, tmp_path):
    (tmp_path / "a.txt").write_text("x;y\n1;2\n3;4\n")
    run("profile", "a.txt", "--format", "csv", "--delimiter", ";", "-o", "a.json")
    assert references.load(tmp_path / "a.json").bins.numeric == ("f:x", "f:y")
    (tmp_path / "b.txt").write_text("x\ty\n1\t2\n3\t4\n")
    run("profile", "b.txt", "--format", "csv", "--delimiter", "TAB", "-o", "b.json")
    assert references.load(tmp_path / "b.json").id == references.load(tmp_path / "a.json").id
