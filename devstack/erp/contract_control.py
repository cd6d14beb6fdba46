"""The published shape of the simulator's own answers: health, revision, control totals."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from devstack.erp.names import erp_name


class Health(BaseModel):
    """The simulator answers."""

    status: Literal["ok"] = "ok"


class Revision(BaseModel):
    """How many rounds of corrections have happened."""

    revision: int


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
