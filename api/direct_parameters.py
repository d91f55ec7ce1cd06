"""A route's parameter as the short way reads it: FastAPI's own validator, and only where there is
something to find out.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

Field = Any
"""FastAPI's own of a parameter."""
INVALID: Final = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    """Of the argument."""
    alias: str
    """Of what is sent."""
    _where: str
    _field: Field
    _text: bool
    """Any text will do, as it is."""
    _absent: Any
    """For what was not sent, where that is the same each time; else INVALID."""

    @classmethod
    def of(cls, field: Field, where: str) -> Parameter:
        info = field.field_info
        default = INVALID if info.is_required() else field.default
        lasting = default is None or isinstance(default, str | int | float | Enum)
        return cls(
            field.name,
            field.alias,
            where,
            field,
            info.annotation is str and not info.metadata,
            default if lasting else INVALID,
        )

    def read(self, given: Mapping[str, str]) -> Any:
        """As `fastapi.dependencies.utils` does it; INVALID for what it would refuse."""
        value = given.get(self.alias)
        if value is None:
            if self._absent is not INVALID:
                return self._absent
            field = self._field
            return INVALID if field.field_info.is_required() else copy(field.default)
        if self._text:
            return value
        valid, errors = self._field.validate(value, {}, loc=(self._where, self.alias))
        return INVALID if errors else valid
