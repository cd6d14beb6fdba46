"""Values of known fields that are odd and can still be kept: they go to `extra`, the record loads.

A list where text is expected, a scalar where an object is, fractions of a second that microseconds
do not hold. Looked for only in what its contract refuses.
"""

import re
from typing import Any, get_origin

from schemas.columns import field_types, record_type
from schemas.fields import LocalTime, Record, ScalarText, Text, UtcTime

# Ends the name under which the value of a known field goes to `extra`. No name in a document ends
# so: one that holds NUL is refused before.
_MARK = "\0"
_FINER_THAN_MICROSECONDS = re.compile(r"([.,]\d{6})(?=\d*[1-9])\d+")


def set_aside(model: type[Record], record: dict[str, Any]) -> bool:
    """Move the odd values of a record and of those inside it out of the way; say if any were."""
    found = False
    for name, hint in field_types(model).items():
        value = record.get(name)
        if value is None:
            continue
        if inner := record_type(hint):
            found |= _set_aside_inside(hint, inner, record, name)
        elif hint in (Text, ScalarText) and isinstance(value, list | dict):
            record[name + _MARK] = record.pop(name)
            found = True
        elif hint in (UtcTime, LocalTime):
            found |= cut_to_microseconds(record, name)
    return found


def original_name(name: str) -> str:
    """Return the name that a field had in its document."""
    return name.removesuffix(_MARK)


def _set_aside_inside(hint: Any, inner: type[Record], record: dict[str, Any], name: str) -> bool:
    value = record[name]
    if get_origin(hint) is list:
        # What another type than a list stands for cannot be known.
        items = value if isinstance(value, list) else []
        odd = [item for item in items if isinstance(item, dict) and set_aside(inner, item)]
        return bool(odd)
    if isinstance(value, dict):
        return set_aside(inner, value)
    record[name + _MARK] = record.pop(name)
    return True


def cut_to_microseconds(record: dict[str, Any], name: str) -> bool:
    """Cut a time to what a column holds of it, in place, and keep it beside as it was sent."""
    sent = record.get(name)
    if not isinstance(sent, str) or not _FINER_THAN_MICROSECONDS.search(sent):
        return False
    cut = _FINER_THAN_MICROSECONDS.sub(r"\1", sent)
    record[name], record[name + _MARK] = cut, sent
    return True
