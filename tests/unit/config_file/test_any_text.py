"""Whatever a file holds, it loads or has worded faults: nothing else comes out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftgauge.config import Config
from driftgauge.config_file import faults, load, nodes
from driftgauge.docs import keys
from driftgauge.errors import ConfigurationError

EXAMPLE = Path(__file__).resolve().parents[3] / "config.example.yaml"
FAULT = re.compile(r"c\.yaml(:[1-9][0-9]*)?(?: \S.*)?: (?:expected .+, got .+|and \d+ more faults)")

WORDS = sorted({key.path.rpartition(".")[2] for key in keys()} - {"<name>"})
PIECES = st.sampled_from(
    [*WORDS, *"\n:-?[]{},&*!|>'\"%@`#~ \t\\", ": ", "- ", "\n  ", "\n    ", "<<", "&a ", "*a", "\\U",
     "\\x", "1h", "10%", "8MiB", "0.5", "null", "yes", "---\n", "...\n", "!!str ", "\ufeff", "\x85",
     "\u2028", "\ud800", "\x00"]
)  # fmt: skip


def check(text: str) -> None:
    try:
        config = load(Path("c.yaml"), text=text)
    except ConfigurationError as error:
        worded = error.faults
    else:
        assert isinstance(config, Config)
        assert faults(config) == ()
        return
    assert worded
    for fault in worded:
        assert FAULT.fullmatch(fault), fault
        fault.encode()


@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_jumble_of_yaml(text: str) -> None:
    check(text)


@settings(max_examples=30)  # each is parsed twice
@given(st.data())
def test_any_change_of_the_example(data: st.DataObject) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("# ")]
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        place = data.draw(st.integers(0, len(line)))
        lines[number] = line[:place] + data.draw(PIECES) + line[place + data.draw(st.integers(0, 3)) :]
    check("\n".join(lines))


@given(st.recursive(
    st.text("ab1:-# ", max_size=4).map(repr) | st.sampled_from(["1", "a", "~", "''"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    | st.lists(inner, max_size=3).map(lambda items: "{" + ", ".join(f"k: {i}" for i in items) + "}"),
))  # fmt: skip
def test_libyaml_composes_what_pyyaml_does(text: str) -> None:
    if nodes._LIBYAML is None:
        pytest.skip("PyYAML is built without libyaml")
    import yaml

    fast = nodes._Composer(text, nodes._LIBYAML).document()
    assert fast == nodes._Composer(text, yaml.SafeLoader).document()
