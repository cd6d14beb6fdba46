"""The value types of the contracts: what is accepted for each, and nothing looser.

Values are what a JSON parser yields: str, int, Decimal, bool, None, list, dict. A conversion is
accepted only when it is exact: a quoted number is the number, `5.0` is the integer 5, `true` is
never 1. Each type answers a bad value with one error that says what would be accepted.

Oracle's Business Intelligence API sends ids and counts as JSON numbers, dates as `YYYY-MM-DD`
and times as `YYYY-MM-DDTHH:MM:SS` without a zone suffix.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# What a numeric column holds: at most 38 digits. An amount of more is no amount, and a short text
# such as 1e99999 must not become a hundred thousand digits.
MAX_DIGITS_BEFORE_POINT, MAX_DIGITS_AFTER_POINT = 28, 10
_NUMBER_TEXT = r"^[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?$"
_DATE_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Microseconds are what a column holds: finer fractions would be cut.
# PostgreSQL knows offsets up to 15:59; the ones in use end at 14:00.
_TIME_TEXT = (
    _DATE_TEXT
    + r"[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,6}0*)?)?([Zz]|[+-](0[0-9]|1[0-5]):?[0-9]{2})?$"
)
# Stores and ids are index keys, which PostgreSQL limits to 2,700 bytes together.
MAX_STORE_CHARACTERS, MAX_ID_CHARACTERS = 200, 400


def _integral(value: Decimal) -> int:
    # A huge exponent would build a huge integer before the range could be checked.
    if not value.is_finite() or value.adjusted() > 18 or value != value.to_integral_value():
        raise ValueError("not an integer")
    return _in_range(int(value))


def _in_range(value: int) -> int:
    if not INT64_MIN <= value <= INT64_MAX:
        raise ValueError("beyond 64 bits")
    return value


def _bounded(value: Decimal | int) -> Decimal | int:
    if isinstance(value, int):
        if abs(value) >= 10**MAX_DIGITS_BEFORE_POINT:
            raise ValueError("too many digits")
        return value
    exponent = value.as_tuple().exponent
    if (
        not isinstance(exponent, int)  # NaN or Infinity
        or value.adjusted() >= MAX_DIGITS_BEFORE_POINT
        or exponent < -MAX_DIGITS_AFTER_POINT
    ):
        raise ValueError("not finite, or too many digits")
    return value


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("not finite")
    return value


def _in_calendar(value: datetime) -> datetime:
    """Refuse a time whose offset leads out of the years 1 to 9999: who reads it back would fail."""
    if value.tzinfo is not None:
        try:
            value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("beyond the calendar") from error
    return value


def _flag(value: int) -> bool:
    return bool(value)


def _text(value: Any) -> str:
    return str(value)


def _id_text(value: Decimal) -> str:
    """Write 5.0 as 5: one number is one id."""
    is_integer = value.adjusted() < 19 and value == value.to_integral_value()
    return str(int(value)) if is_integer else str(value)


_STRICT_DECIMAL = core_schema.is_instance_schema(Decimal)
_STRICT_INT = core_schema.int_schema(strict=True)
_STRICT_BOOL = core_schema.bool_schema(strict=True)
_ID_TEXT = core_schema.str_schema(strict=True, max_length=MAX_ID_CHARACTERS)


def _after(function: Any, schema: CoreSchema) -> CoreSchema:
    return core_schema.no_info_after_validator_function(function, schema)


class _Accepts:
    """Pydantic annotation: tries each choice in turn, fails with one message.

    Args:
        column_type: The PostgreSQL type that holds the values.
        expected: What is accepted, in words.
        json_type: What is meant to be sent, as JSON Schema.
        choices: What is accepted.
    """

    def __init__(
        self, column_type: str, expected: str, json_type: JsonSchemaValue, *choices: CoreSchema
    ) -> None:
        self.column_type = column_type
        self._json_type = json_type
        self._schema = core_schema.custom_error_schema(
            core_schema.union_schema(list(choices), mode="left_to_right"),
            custom_error_type="not_accepted",
            custom_error_message=f"expected {expected}",
        )

    def __get_pydantic_core_schema__(
        self, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return self._schema

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self._json_type)


Int64 = Annotated[
    int,
    _Accepts(
        "bigint",
        "an integer of at most 64 bits, or the same in quotes",
        {"type": "integer", "minimum": INT64_MIN, "maximum": INT64_MAX},
        core_schema.int_schema(strict=True, ge=INT64_MIN, le=INT64_MAX),
        _after(_integral, _STRICT_DECIMAL),
        _after(
            _integral,
            core_schema.chain_schema(
                [
                    core_schema.str_schema(strict=True, pattern=_NUMBER_TEXT),
                    core_schema.decimal_schema(),
                ]
            ),
        ),
    ),
]

Number = Annotated[
    Decimal | int,
    _Accepts(
        "numeric",
        f"a finite number of at most {MAX_DIGITS_BEFORE_POINT} digits before the point and "
        f"{MAX_DIGITS_AFTER_POINT} after it, or the same in quotes",
        {"type": "number"},
        _after(_bounded, _STRICT_DECIMAL),
        _after(_bounded, _STRICT_INT),
        _after(
            _bounded,
            core_schema.chain_schema(
                [
                    core_schema.str_schema(strict=True, pattern=_NUMBER_TEXT),
                    core_schema.decimal_schema(),
                ]
            ),
        ),
    ),
]

_ANY_SCALAR = (
    core_schema.str_schema(strict=True),
    _after(lambda value: "true" if value else "false", _STRICT_BOOL),
    _after(_text, _STRICT_INT),
    _after(_text, _after(_finite, _STRICT_DECIMAL)),
)

Text = Annotated[
    str, _Accepts("text", "text, a number or a boolean", {"type": "string"}, *_ANY_SCALAR)
]

# For fields whose type no source confirms: another scalar than text is no drift.
ScalarText = Annotated[
    str,
    _Accepts(
        "text",
        "text, a number or a boolean",
        {"type": ["string", "number", "boolean"]},
        *_ANY_SCALAR,
    ),
]

# A store that is called true is none.
StoreId = Annotated[
    str,
    _Accepts("text", "text or a number", {"type": "string"}, _ANY_SCALAR[0], *_ANY_SCALAR[2:]),
]

# The id of a row, part of its key. Which scalars the endpoints send is not confirmed.
RecordId = Annotated[
    str,
    _Accepts(
        "text",
        f"text of at most {MAX_ID_CHARACTERS} characters, or a number",
        {"type": ["string", "number", "boolean"], "maxLength": MAX_ID_CHARACTERS},
        _ID_TEXT,
        _after(lambda value: "true" if value else "false", _STRICT_BOOL),
        core_schema.chain_schema([_after(_text, _STRICT_INT), _ID_TEXT]),
        core_schema.chain_schema([_after(_id_text, _after(_finite, _STRICT_DECIMAL)), _ID_TEXT]),
    ),
]

Flag = Annotated[
    bool,
    _Accepts(
        "boolean",
        "true or false (0 and 1 are taken as such)",
        {"type": "boolean"},
        _STRICT_BOOL,
        _after(_flag, core_schema.int_schema(strict=True, ge=0, le=1)),
    ),
]


def _time(column_type: str) -> _Accepts:
    return _Accepts(
        column_type,
        "a time like 2024-01-31T13:45:00",
        {"type": "string", "pattern": _TIME_TEXT},
        _after(
            _in_calendar,
            core_schema.chain_schema(
                [
                    core_schema.str_schema(strict=True, pattern=_TIME_TEXT),
                    core_schema.datetime_schema(),
                ]
            ),
        ),
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
        core_schema.chain_schema(
            [core_schema.str_schema(strict=True, pattern=_DATE_TEXT), core_schema.date_schema()]
        ),
    ),
]


class Record(BaseModel):
    """A contract that keeps unknown fields."""

    model_config = ConfigDict(extra="allow")


def column_type(hint: Any) -> str:
    """Return the PostgreSQL type that holds the values of one of the types above."""
    [accepts] = (part for part in get_args(hint) if isinstance(part, _Accepts))
    return accepts.column_type
