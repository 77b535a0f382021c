"""Which model a record belongs to, and the form that its records have now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from driftgauge.config import Limits
from driftgauge.ingest.fields import Key, Shape, keys_of
from driftgauge.ingest.forms import Form, defined, first_form
from driftgauge.ingest.plain import UNREADABLE
from driftgauge.ingest.tally import Tally
from driftgauge.ingest.wording import Fault, too_long, wrong_type
from driftgauge.records import Kind, Reason, Schema

_T = TypeVar("_T")

UNNAMED_MODEL: Final = "default"


class Models:
    """The forms of all models for one kind of record; the least used are forgotten."""

    def __init__(
        self,
        kind: Kind,
        limits: Limits,
        renamed: Mapping[str, str],
        schema_of: Callable[[str], Schema],
        only_model: Callable[[], str | None],
    ) -> None:
        self.kind, self.limits = kind, limits
        self.keys = keys_of(kind, renamed)
        self._renamed = bool(renamed)
        self.schema_of = schema_of
        self._only_model = only_model
        self._forms: OrderedDict[str, Form] = OrderedDict()
        self._room = 4 * limits.models
        self._model_keys = [key for key in self.keys if key.shape is Shape.MODEL]
        self._peek = _peeking(self._model_keys)

    def peek(self, record: bytes) -> str | None:
        """The model of *record*; None where that can't be read."""
        try:
            found = self._peek.decode(record)
        except UNREADABLE:
            return None
        return self.name(_first(getattr(found, key.attribute) for key in self._model_keys))

    def named(self, record: Mapping[str, object]) -> str:
        """The model of a *record* in which `fault` finds none."""
        given = _first(record.get(key.incoming) for key in self._model_keys)
        return self.name(given if isinstance(given, str) else None)

    def name(self, given: str | None) -> str:
        """The name of the model that a record calls *given*; null and "" are no name."""
        return given or self._only_model() or UNNAMED_MODEL

    def known(self, model: str) -> Form | None:
        """The form of *model*; None where it has yet to be made, or fields are renamed."""
        form = self._forms.get(model)
        if form is None or self._renamed:
            return None
        schema = self.schema_of(model)
        if form.schema is not schema and form.schema != schema:
            return None
        self._forms.move_to_end(model)
        return form

    def form(self, model: str, tally: Tally, sample: Callable[[], object]) -> Form | Fault:
        """The form of *model*, made for the record *sample* if need be; or why it is refused."""
        schema = self.schema_of(model)
        form = self._forms.get(model)
        if form is not None and (form.schema is schema or form.schema == schema):
            self._forms.move_to_end(model)
            return form
        refusal = self._refusal(model, schema, known=form is not None, fresh=tally.fresh)
        if refusal is not None:
            return refusal
        record = sample()
        usable = record if isinstance(record, dict) else None
        form = first_form(self.kind, schema, self.limits, self.keys, usable)
        self.grew(model, form)
        return form

    def grew(self, model: str, form: Form) -> None:
        """Uses *form* for *model* from now on."""
        self._forms[model] = form
        self._forms.move_to_end(model)
        if len(self._forms) > self._room:
            self._forms.popitem(last=False)

    def fault(self, record: Mapping[str, object]) -> Fault | None:
        """What is wrong with the model that *record* names, if that is neither text nor null."""
        given = [record.get(key.incoming) for key in self._model_keys]
        wrong = [each for each in given if each is not None and not isinstance(each, str)]
        return wrong_type("model", "text", wrong[0]).fault if wrong else None

    def _refusal(self, model: str, schema: Schema, *, known: bool, fresh: set[str]) -> Fault | None:
        longest = self.limits.label_characters
        if len(model) > longest:
            return too_long("model", longest)
        if known or model in fresh or schema.numeric or schema.categorical or schema.segments:
            return None
        # More models at once than there may be at all: some can't be taken, whichever are known.
        if len(fresh) >= self.limits.models:
            detail = f"model: expected at most {len(fresh)} new ones at once, got more"
            return Fault(Reason.MODEL_LIMIT, detail)
        fresh.add(model)
        return None


def _first(given: Iterable[_T | None]) -> _T | None:
    return next((each for each in given if each), None)


def _peeking(keys: list[Key]) -> msgspec.json.Decoder[Any]:
    types: dict[str, tuple[Any, Any]] = {key.attribute: (str | None, None) for key in keys}
    names = {key.attribute: key.incoming for key in keys}
    return msgspec.json.Decoder(defined(types, names, strict=False))
