"""The compiled functions of ``scipy.special`` without its package.

``import scipy.special`` loads some hundred modules, 19 MiB and 0.3 s of CPU for names that nothing here
asks for. What is called lies in one compiled module of it, which takes 4 MiB.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Final

_PACKAGE: Final = "scipy.special"
_COMPILED: Final = f"{_PACKAGE}._ufuncs"
_NAMES: Final = ("chdtrc", "fdtrc", "gammaln", "kolmogi", "ndtr", "ndtri", "stdtr", "stdtrit")
_LOCK: Final = RLock()


def functions() -> ModuleType:
    """What has ``chdtrc, fdtrc, gammaln, kolmogi, ndtr, ndtri, stdtr, stdtrit`` of scipy as attributes.

    The compiled module where it can be had alone, else the package, as where that is loaded already.
    A later import of the package is as any other.

    Raises:
        ImportError: scipy can't be imported.

    Cost: 50 ms of CPU at the first call, so call it where a p-value is asked for; then O(1). Checked
    against ``scipy.special``: its very functions.
    """
    with _LOCK:
        return _found()


@cache
def _found() -> ModuleType:
    if _PACKAGE not in sys.modules:
        compiled = _compiled()
        if compiled is not None and all(hasattr(compiled, name) for name in _NAMES):
            return compiled
    return importlib.import_module(_PACKAGE)


def _compiled() -> ModuleType | None:
    """The compiled module, imported while an empty package stands in for its own; None where it isn't
    as it is known to be.
    """
    scipy = importlib.import_module("scipy")
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = [str(Path(path) / "special") for path in scipy.__path__]
    sys.modules[_PACKAGE] = stand_in
    try:
        return importlib.import_module(_COMPILED)
    except ImportError:
        return None
    finally:
        del sys.modules[_PACKAGE]
