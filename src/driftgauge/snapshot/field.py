"""What a field that isn't a label holds."""

from __future__ import annotations

Value = float | None
