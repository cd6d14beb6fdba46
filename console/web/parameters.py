"""What visitors write into forms and addresses, read kindly: an empty field is none."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator, Field, StringConstraints

#: Business dates that can be asked for; dates near the ends of the calendar cannot be counted on.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
_LONGEST = 1024  # characters: the longest key that S3 allows


def _written(value: Any) -> Any:
    """Drop what no text of ours holds, and PostgreSQL refuses; nothing but spaces is nothing."""
    return value.replace("\x00", "").strip() or None if isinstance(value, str) else value


#: Text, trimmed; None when nothing was written.
Text = Annotated[
    Annotated[str, StringConstraints(max_length=_LONGEST)] | None, BeforeValidator(_written)
]
#: A word of ours; None when none was written.
Word = Annotated[Annotated[str, StringConstraints(max_length=40)] | None, BeforeValidator(_written)]
#: A business date; None when none was chosen.
Day = Annotated[
    Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)] | None,
    BeforeValidator(_written),
]
#: Which part of a long page, from 1.
Part = Annotated[int, Query(ge=1, le=1000)]
