"""The published shape of the simulator's own answers: health, revision, control totals."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from devstack.erp.faults import FaultKind, Faults, Percent, only_numbers
from devstack.erp.names import erp_name
from devstack.erp.requests import BusinessDay
from devstack.erp.store_day import MAX_CHECKS


class Health(BaseModel):
    """The simulator answers."""

    status: Literal["ok"] = "ok"


class Revision(BaseModel):
    """How many rounds of corrections have happened."""

    revision: int


class Token(BaseModel):
    """A token to accept instead of the one in force."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": "renewed-1"}]})

    token: SecretStr = Field(min_length=1, max_length=4096)


_Since = Annotated[BusinessDay | None, Field(description="First business date; null: never.")]


class Chain(BaseModel):
    """How much the chain trades, and from which day on its answers change."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"checks_per_day": 3, "employee_from": "2024-07-01"}]},
    )

    checks_per_day: Annotated[
        Annotated[int, Field(ge=1, le=MAX_CHECKS)] | None, BeforeValidator(only_numbers)
    ] = Field(None, description="Checks opened per store and open day; null: 20 to 60.")
    closed_days_percent: Annotated[Percent, BeforeValidator(only_numbers)] = Field(
        5, description="Days on which a store does not open."
    )
    taxation_from: _Since = None
    employee_from: _Since = None
    new_fields_from: _Since = None
    quoted_from: _Since = None
    vanished_from: _Since = None


class FaultReport(BaseModel):
    """The faults in force, and what they did since they were set."""

    faults: Faults
    attempts: int = Field(description="Requests to the endpoints.")
    injected: dict[FaultKind, int] = Field(description="How many of them went wrong, by kind.")
    busiest_second: int = Field(description="The most of them that came within one second.")


class Revenue(BaseModel):
    """Sums over the checks opened on the day and not cancelled; amounts as exact text."""

    checks: int
    detail_lines: int
    taxes: int
    guests: int
    net: str = Field(description="Sum of subTtl.", examples=["4388.05"])
    tax: str = Field(description="Sum of the taxes' taxCollTtl.", examples=["712.40"])
    discounts: str = Field(description="Sum of dscTtl.", examples=["-85.00"])


class ControlTotals(BaseModel):
    """What one store's day contains, by answer and by revenue."""

    model_config = ConfigDict(alias_generator=erp_name, validate_by_name=True)

    store_id: str
    bus_dt: date
    revision: int
    answer: dict[str, dict[str, int]] = Field(
        description="Per endpoint, how many records its answer for that day lists."
    )
    amounts: dict[str, dict[str, str]] = Field(
        description="Per list endpoint, the sums of its answer's amounts, as exact text."
    )
    revenue: Revenue
