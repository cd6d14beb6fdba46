"""The published shape of the simulator's own answers: health, revision, control totals."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from devstack.erp.faults import FaultKind, Faults
from devstack.erp.names import erp_name


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


class FaultReport(BaseModel):
    """The faults in force, and what they did since they were set."""

    faults: Faults
    attempts: int = Field(description="Requests to the five endpoints.")
    injected: dict[FaultKind, int] = Field(description="How many of them went wrong, by kind.")


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
    revenue: Revenue
