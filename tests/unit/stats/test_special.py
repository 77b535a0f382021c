"""Scipy's own functions without its package, whatever has been imported before or is afterwards."""

import subprocess
import sys
import types

import numpy as np
import pytest
import scipy.special

from driftgauge.stats import special

ALONE = """
import sys
from driftgauge.stats.special import functions
found = functions()
assert "scipy.special" not in sys.modules, "the stand-in was left behind"
assert found is functions()
modules = {name for name in sys.modules if name.startswith("scipy.special")}
import scipy.special
for name in ("chdtrc", "fdtrc", "gammaln", "ndtr", "ndtri", "stdtr", "stdtrit"):
    assert getattr(scipy.special, name) is getattr(found, name), name
assert scipy.special.logsumexp([0.0, 0.0]) > 0.69
import scipy.stats
assert abs(scipy.stats.chi2.sf(3.0, 2) - found.chdtrc(2, 3.0)) < 1e-12
print(len(modules))
"""


def test_it_is_a_few_modules_and_the_package_can_be_imported_afterwards():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 10


def test_where_the_package_is_loaded_it_is_used():
    special._found.cache_clear()
    assert special.functions() is scipy.special


@pytest.mark.parametrize("compiled", [None, types.ModuleType("of another scipy")])
def test_where_the_compiled_module_is_another_the_package_is_used(monkeypatch, compiled):
    monkeypatch.setattr(special, "_compiled", lambda: compiled)
    loaded = {name: module for name, module in sys.modules.items() if name.startswith("scipy.special")}
    special._found.cache_clear()
    monkeypatch.delitem(sys.modules, "scipy.special")
    found = special.functions()
    special._found.cache_clear()
    sys.modules.update(loaded)
    np.testing.assert_allclose(
        found.chdtrc([1.0, 2.0], [3.84, 5.99]), scipy.special.chdtrc([1, 2], [3.84, 5.99])
    )
    assert found.__name__ == "scipy.special"


def test_a_compiled_module_that_cannot_be_imported_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(special, "_COMPILED", "scipy.special._gone")
    with monkeypatch.context() as patched:
        patched.delitem(sys.modules, "scipy.special")
        assert special._compiled() is None
        assert "scipy.special" not in sys.modules
