"""The annotations of a pod as a sidecar: a closed set, for a misspelt wish must not be a half-kept one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from driftgauge import __version__
from driftgauge.artefacts.manifests import REFERENCE_NAMES, Sidecar, wrong_reference
from driftgauge.injector.refusing import Refusal, RefusedError
from driftgauge.quantities import quantity

PREFIX: Final = "driftgauge.io/"
INJECT: Final = f"{PREFIX}inject"
STATUS: Final = f"{PREFIX}status"
INJECTED: Final = "injected"
REFUSED: Final = "refused: "
"""How the status of a pod begins that asked and gets none; why follows."""
MARKS: Final = MappingProxyType({STATUS: INJECTED, f"{PREFIX}version": __version__})
"""What an injected pod says of itself."""

SETTINGS: Final = MappingProxyType(
    {
        "config": "a ConfigMap whose key driftgauge.yaml is the configuration",
        "image": "another image of the sidecar",
        "native": "true: an init container that restarts; false: a plain container",
        "claim": "a PersistentVolumeClaim for the state, in place of an emptyDir",
        "volume-size": "the limit of the emptyDir",
        "token-secret": "a Secret whose key `token` senders outside of the pod must show",
        "references": "ConfigMaps with reference files, with commas between",
        "cpu": "CPU asked for",
        "memory": "memory asked for",
        "memory-limit": "memory allowed",
    }
)
"""The annotations that choose something, without their prefix, and what each means."""
# The charts' own: it makes a changed configuration a new pod.
_IGNORED: Final = frozenset({f"{PREFIX}config-checksum"})
_KNOWN: Final = frozenset({INJECT, *MARKS, *_IGNORED, *(PREFIX + name for name in SETTINGS)})

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_SUBDOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_IMAGE: Final = re.compile(
    r"[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}@sha256:[0-9a-f]{64})"
)
_CPU: Final = re.compile(r"\d{1,6}m|\d{1,4}(?:\.\d{1,3})?")
# Below it the process is killed again and again, and a pod with such a container is never ready.
_LEAST_MEMORY: Final = "96Mi"


def asked(annotations: Mapping[str, str]) -> bool:
    """Whether the pod asks for the sidecar.

    Raises:
        RefusedError: neither true nor false.
    """
    value = annotations.get(INJECT, "false")
    if value not in {"true", "false"}:
        raise _bad(INJECT, "true or false", value)
    return value == "true"


def sidecar_of(annotations: Mapping[str, str], default: Sidecar) -> Sidecar:
    """*default* with what the annotations choose over it.

    Raises:
        RefusedError: an annotation under the prefix that isn't known, or a value that is none.
    """
    for name in annotations:
        if name.startswith(PREFIX) and name not in _KNOWN:
            known = ", ".join(("inject", *SETTINGS))
            raise RefusedError(
                Refusal.UNKNOWN_ANNOTATION, f"{_shown(name)}: expected one of {PREFIX} {known}"
            )
    given = {name: annotations[PREFIX + name] for name in SETTINGS if PREFIX + name in annotations}
    made = replace(
        default,
        config_map=_object_name(given, "config", default.config_map),
        volume=_object_name(given, "claim", default.volume),
        token_secret=_object_name(given, "token-secret", default.token_secret),
        references=_references(given, default.references),
        image=_matching(given, "image", _IMAGE, "an image with a tag or digest", default.image),
        native=_native(given, default=default.native),
        cpu=_matching(given, "cpu", _CPU, "CPU such as 100m or 0.5", default.cpu),
        volume_bytes=_memory(given, "volume-size", default.volume_bytes),
        memory=_memory(given, "memory", default.memory),
        memory_limit=_memory(given, "memory-limit", default.memory_limit),
    )
    if "claim" in given and "volume-size" in given:
        raise RefusedError(Refusal.BAD_VALUE, f"{PREFIX}volume-size: expected none beside {PREFIX}claim")
    if quantity(made.memory_limit) < quantity(made.memory):
        # The API server would refuse the pod.
        raise _bad(f"{PREFIX}memory-limit", f"at least the {made.memory} asked for", made.memory_limit)
    return made


def _memory(given: Mapping[str, str], name: str, default: str) -> str:
    value = given.get(name)
    if value is None:
        return default
    try:
        found = quantity(value)
    except ValueError:
        raise _bad(PREFIX + name, "a quantity such as 512Mi", value) from None
    if found < quantity(_LEAST_MEMORY):
        raise _bad(PREFIX + name, f"at least {_LEAST_MEMORY}", value)
    return value


def _native(given: Mapping[str, str], *, default: bool) -> bool:
    value = given.get("native")
    if value not in {None, "true", "false"}:
        raise _bad(f"{PREFIX}native", "true or false", str(value))
    return default if value is None else value == "true"


def _object_name(given: Mapping[str, str], name: str, default: str | None) -> str | None:
    value = given.get(name)
    if value is not None and (len(value) > 253 or not _SUBDOMAIN.fullmatch(value)):
        raise _bad(PREFIX + name, "the name of an object of Kubernetes", value)
    return default if value is None else value


def _references(given: Mapping[str, str], default: tuple[str, ...]) -> tuple[str, ...]:
    if "references" not in given:
        return default
    names = tuple(each.strip() for each in given["references"].split(","))
    wrong = wrong_reference(names)
    if wrong is not None:
        raise _bad(f"{PREFIX}references", REFERENCE_NAMES, wrong)
    return names


def _matching(
    given: Mapping[str, str], name: str, pattern: re.Pattern[str], expected: str, default: str
) -> str:
    value = given.get(name)
    if value is not None and not pattern.fullmatch(value):
        raise _bad(PREFIX + name, expected, value)
    return default if value is None else value


def _bad(name: str, expected: str, found: str) -> RefusedError:
    return RefusedError(Refusal.BAD_VALUE, f"{name}: expected {expected}, got {_shown(found)}")


def _shown(text: str) -> str:
    """What a user wrote, fit for a header: short, printable ASCII."""
    return ascii(text if len(text) <= 60 else f"{text[:57]}...")
