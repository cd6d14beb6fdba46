"""Partial documents as patches: the columns that they set, and nothing else.

A patch maps columns to values as JSON; `+name` is a field of `extra`.
"""

from datetime import date, datetime
from typing import Any

from consumer.documents.validation import ValidRecord
from consumer.rows.fields import Fields, details_of
from consumer.rows.tables import DETAIL, DETAIL_COLUMNS, LINE
from schemas.columns import column_name
from schemas.guest_checks import LINE_TYPES

Patch = dict[str, Any]

# What makes a check partial is that it has no version, not even a null that would erase one.
_NOT_PATCHED = frozenset({"guestCheckId", "lastUpdatedUTC", "taxNum", "guestCheckLineItemId"})


def patch_of(record: ValidRecord, fields: Fields) -> Patch:
    """Return the columns that a record of a partial document sets."""
    patch = {
        column_name(name): _plain(record[name])
        for name in fields.names
        if name in record and name not in _NOT_PATCHED
    }
    return patch | {f"+{name}": value for name, value in (fields.unknown(record) or {}).items()}


def line_patch(line: ValidRecord) -> Patch:
    """Return the columns that a line of a partial document sets, its sub-object flattened."""
    patch = patch_of(line, LINE)
    for number, (name, detail) in enumerate(details_of(line)):
        if number:
            patch[f"+{name}"] = detail
            continue
        patch["line_type"] = LINE_TYPES[name]
        columns = DETAIL_COLUMNS[name]
        patch |= {columns[key]: _plain(detail[key]) for key in columns if key in detail}
        if unknown := DETAIL[name].unknown(detail):
            patch[f"+{name}"] = unknown
    return patch


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value
