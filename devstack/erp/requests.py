"""What callers send: a business day and a store, under either of its two names."""

import re
from datetime import date
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from devstack.erp.names import erp_name
from devstack.erp.store_day import FIRST_DAY, LAST_DAY

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _written_day(value: object) -> object:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("write the day as YYYY-MM-DD")
    return value


BusinessDay = Annotated[
    date,
    BeforeValidator(_written_day),
    Field(ge=FIRST_DAY, le=LAST_DAY),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "pattern": "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$",
            "description": "Business date.",
            "examples": ["2024-01-01"],
        }
    ),
]
StoreId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=99),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": 99,
            "pattern": r"\S",
            "description": "Oracle's locRef: free text; spaces around it do not count.",
            "examples": ["99 CB CB"],
        }
    ),
]


class StoreDayRequest(BaseModel):
    """The body of every endpoint. `locRef` and `storeId` mean the same: send one."""

    model_config = ConfigDict(
        alias_generator=erp_name,
        json_schema_extra={
            "oneOf": [{"required": ["storeId"]}, {"required": ["locRef"]}],
            "examples": [{"busDt": "2024-01-01", "storeId": "99 CB CB"}],
        },
    )

    bus_dt: BusinessDay
    store_id: StoreId = ""
    loc_ref: StoreId = ""

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if not self.store:
            raise ValueError("storeId (or locRef) is missing")
        if self.store_id and self.loc_ref and self.store_id != self.loc_ref:
            raise ValueError("storeId and locRef name different stores")
        return self

    @property
    def store(self) -> str:
        """The store asked for, trimmed."""
        return self.store_id or self.loc_ref
