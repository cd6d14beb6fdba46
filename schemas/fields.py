"""The value types of the contracts: what is accepted for each, and nothing looser.

A conversion is accepted only when it is exact: a quoted number is the number, `5.0` is the
integer 5, `true` is never 1. Oracle's Business Intelligence API sends ids and counts as JSON
numbers, dates as `YYYY-MM-DD` and times as `YYYY-MM-DDTHH:MM:SS` without a zone suffix.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

# What a numeric column holds: at most 38 digits. An amount of more is no amount, and a short text
# such as 1e99999 must not become a hundred thousand digits.
MAX_DIGITS_BEFORE_POINT, MAX_DIGITS_AFTER_POINT = 28, 10
# Stores and ids are index keys, which PostgreSQL limits to 2,700 bytes together.
MAX_STORE_CHARACTERS, MAX_ID_CHARACTERS = 200, 400

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_TOO_LARGE = 10**MAX_DIGITS_BEFORE_POINT
_NUMBER_TEXT = r"^[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?$"
_DATE_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Microseconds are what a column holds: finer fractions would be cut.
# PostgreSQL knows offsets up to 15:59; the ones in use end at 14:00.
_TIME_TEXT = (
    _DATE_TEXT
    + r"[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6}0*)?)?([Zz]|[+-](0[0-9]|1[0-5]):?[0-9]{2})?$"
)


def _integral(value: Decimal) -> int:
    # A huge exponent would build a huge integer before the range could be checked.
    if not value.is_finite() or value.adjusted() > 18 or value != value.to_integral_value():
        raise ValueError("not an integer")
    return int(value)


def _bounded(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if (
        not isinstance(exponent, int)  # NaN or Infinity
        or value.adjusted() >= MAX_DIGITS_BEFORE_POINT
        or exponent < -MAX_DIGITS_AFTER_POINT
    ):
        raise ValueError("not finite, or too many digits")
    return value


def _in_calendar(value: datetime) -> datetime:
    """Refuse a time whose offset leads out of the years 1 to 9999: who reads it back would fail."""
    if value.tzinfo is not None:
        try:
            value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("beyond the calendar") from error
    return value


def _id_text(value: Decimal) -> str:
    """Write 5.0 as 5: one number is one id."""
    is_integer = value.adjusted() < 19 and value == value.to_integral_value()
    return str(int(value)) if is_integer else str(value)


def _after(function: Any, *schemas: CoreSchema) -> CoreSchema:
    return core_schema.no_info_after_validator_function(function, _chain(*schemas))


def _chain(*schemas: CoreSchema) -> CoreSchema:
    return core_schema.chain_schema(list(schemas)) if len(schemas) > 1 else schemas[0]


def _matching(pattern: str) -> CoreSchema:
    return core_schema.str_schema(strict=True, pattern=pattern)


class _Accepts:
    """Pydantic annotation: tries each choice in turn, fails with one message.

    `column_type` is the PostgreSQL type that holds the values, `json_schema` what is meant to be
    sent.
    """

    def __init__(
        self, column_type: str, expected: str, json_schema: JsonSchemaValue, *choices: CoreSchema
    ) -> None:
        self.column_type = column_type
        self.json_schema = json_schema
        self._schema = core_schema.custom_error_schema(
            core_schema.union_schema(list(choices), mode="left_to_right"),
            custom_error_type="not_accepted",
            custom_error_message=f"expected {expected}",
        )

    def __get_pydantic_core_schema__(self, *_: Any) -> CoreSchema:
        return self._schema

    def __get_pydantic_json_schema__(self, *_: Any) -> JsonSchemaValue:
        return dict(self.json_schema)


_STRING = core_schema.str_schema(strict=True)
_INT = core_schema.int_schema(strict=True)
_INT64 = core_schema.int_schema(strict=True, ge=_INT64_MIN, le=_INT64_MAX)
_BOOL = core_schema.bool_schema(strict=True)
_DECIMAL = core_schema.is_instance_schema(Decimal)
_QUOTED_NUMBER = _chain(_matching(_NUMBER_TEXT), core_schema.decimal_schema())
_INT_TEXT = _after(str, _INT)
_BOOL_TEXT = _after(lambda value: "true" if value else "false", _BOOL)
_FINITE = core_schema.decimal_schema(strict=True)
_DECIMAL_TEXT = _after(str, _FINITE)
_ID_TEXT = core_schema.str_schema(strict=True, max_length=MAX_ID_CHARACTERS)
_SCALAR_WORDS = "text, a number or a boolean"
_SCALARS = (_STRING, _BOOL_TEXT, _INT_TEXT, _DECIMAL_TEXT)
_ANY_SCALAR = {"type": ["string", "number", "boolean"]}

Int64 = Annotated[
    int,
    _Accepts(
        "bigint",
        "an integer of at most 64 bits, or the same in quotes",
        {"type": "integer", "minimum": _INT64_MIN, "maximum": _INT64_MAX},
        _INT64,
        _chain(_after(_integral, _DECIMAL), _INT64),
        _chain(_after(_integral, _QUOTED_NUMBER), _INT64),
    ),
]

Number = Annotated[
    Decimal | int,
    _Accepts(
        "numeric",
        f"a finite number of at most {MAX_DIGITS_BEFORE_POINT} digits before the point and "
        f"{MAX_DIGITS_AFTER_POINT} after it, or the same in quotes",
        {"type": "number"},
        _after(_bounded, _DECIMAL),
        core_schema.int_schema(strict=True, gt=-_TOO_LARGE, lt=_TOO_LARGE),
        _after(_bounded, _QUOTED_NUMBER),
    ),
]

Text = Annotated[str, _Accepts("text", _SCALAR_WORDS, {"type": "string"}, *_SCALARS)]

# For fields whose type no source confirms: another scalar than text is no drift.
ScalarText = Annotated[str, _Accepts("text", _SCALAR_WORDS, _ANY_SCALAR, *_SCALARS)]

# A store that is called true is none.
StoreId = Annotated[
    str,
    _Accepts("text", "text or a number", {"type": "string"}, _STRING, _INT_TEXT, _DECIMAL_TEXT),
]

# The id of a row, part of its key. Which scalars the endpoints send is not confirmed.
RecordId = Annotated[
    str,
    _Accepts(
        "text",
        f"text of at most {MAX_ID_CHARACTERS} characters, or a number",
        _ANY_SCALAR | {"maxLength": MAX_ID_CHARACTERS},
        _ID_TEXT,
        _BOOL_TEXT,
        _chain(_INT_TEXT, _ID_TEXT),
        _chain(_after(_id_text, _FINITE), _ID_TEXT),
    ),
]

Flag = Annotated[
    bool,
    _Accepts(
        "boolean",
        "true or false (0 and 1 are taken as such)",
        {"type": "boolean"},
        _BOOL,
        _after(bool, core_schema.int_schema(strict=True, ge=0, le=1)),
    ),
]


def _time(column_type: str) -> _Accepts:
    return _Accepts(
        column_type,
        "a time like 2024-01-31T13:45:00",
        {"type": "string", "pattern": _TIME_TEXT},
        _after(_in_calendar, _matching(_TIME_TEXT), core_schema.datetime_schema()),
    )


UtcTime = Annotated[datetime, _time("timestamptz")]

# The store's wall clock.
LocalTime = Annotated[datetime, _time("timestamp")]

BusinessDate = Annotated[
    date,
    _Accepts(
        "date",
        "a date like 2024-01-31",
        {"type": "string", "format": "date"},
        _chain(_matching(_DATE_TEXT), core_schema.date_schema()),
    ),
]


class Record(BaseModel):
    """A contract that keeps unknown fields."""

    model_config = ConfigDict(extra="allow")


def column_type(hint: Any) -> str:
    """Return the PostgreSQL type that holds the values of one of the types above."""
    return _accepts(hint).column_type


def json_types(hint: Any) -> frozenset[str]:
    """Return the JSON types, in JSON Schema's words, that one of the types above is sent as."""
    named = _accepts(hint).json_schema["type"]
    return frozenset([named] if isinstance(named, str) else named)


def _accepts(hint: Any) -> _Accepts:
    [accepts] = (part for part in get_args(hint) if isinstance(part, _Accepts))
    return accepts
