"""What can be set about the simulated ERP."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from devstack.erp.faults import (
    EndpointName,
    Faults,
    InARow,
    Kinds,
    Percent,
    RetryAfter,
    Seconds,
    split_names,
)
from devstack.erp.store_day import MAX_CHECKS


class SimulatorSettings(BaseSettings):
    """Settings from the environment (prefix `ERP_SIM_`, beside `API_TOKEN`) or `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="ERP_SIM_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    seed: int = Field(default=2024, description="Another seed is another chain.")
    checks_per_day: int | None = Field(
        default=None,
        ge=1,
        le=MAX_CHECKS,
        description="Checks opened per store and open day, exactly; unset: 20 to 60.",
    )
    closed_days_percent: float = Field(
        default=5, ge=0, le=100, description="Days on which a store does not open, in percent."
    )
    revision: int = Field(
        default=0, ge=0, le=1000, description="How many rounds of corrections already happened."
    )
    clock: datetime | None = Field(
        default=None, description="The ERP's fixed time (UTC unless it has a zone); unset: now."
    )
    taxation_from: date | None = Field(
        default=None, description="First business date answered with `taxation` for `taxes`."
    )
    employee_from: date | None = Field(
        default=None, description="First business date answered with `employeeNum` for `empNum`."
    )
    new_fields_from: date | None = Field(
        default=None, description="First business date answered with fields nobody announced."
    )
    quoted_from: date | None = Field(
        default=None,
        description="First business date with numbers in quotes (`subTtl`, `amount`, "
        "`openingBalance`).",
    )
    vanished_from: date | None = Field(
        default=None, description="First business date without `numChkPrntd` and `seatNum`."
    )
    faults_percent: Percent = Field(default=0, description="Attempts that go wrong, in percent.")
    fault_kinds: Annotated[Kinds, NoDecode, BeforeValidator(split_names)] = Field(
        default=(),
        description="How they go wrong, separated by commas; unset: all but another_day.",
    )
    faults_in_a_row: InARow = Field(
        default=2,
        description="Faults after which a store's day and endpoint is answered all the same.",
    )
    fault_delay_seconds: Seconds = Field(
        default=1, description="How late a 504 comes, and how long a slow answer takes."
    )
    retry_after_seconds: RetryAfter = Field(
        default=1, description="What Retry-After says on a 429."
    )
    disabled_endpoints: Annotated[
        tuple[EndpointName, ...], NoDecode, BeforeValidator(split_names)
    ] = Field(default=(), description="Endpoints that answer 404, separated by commas.")
    api_token: SecretStr | None = Field(
        default=None,
        validation_alias="API_TOKEN",
        description="Bearer token that callers must send; unset: anyone may call.",
    )

    @field_validator("clock")
    @classmethod
    def _clock_in_utc(cls, clock: datetime | None) -> datetime | None:
        if clock is not None and clock.tzinfo is None:
            return clock.replace(tzinfo=UTC)
        return clock

    def now(self) -> datetime:
        """Return the ERP's time, aware."""
        return self.clock or datetime.now(UTC)

    def faults(self) -> Faults:
        """Return how bad the day is when the ERP starts."""
        return Faults(
            percent=self.faults_percent,
            kinds=self.fault_kinds,
            in_a_row=self.faults_in_a_row,
            delay_seconds=self.fault_delay_seconds,
            retry_after_seconds=self.retry_after_seconds,
            disabled=self.disabled_endpoints,
        )


class UnusableSettingError(ValueError):
    """A setting that does not exist or cannot be so; the message names it and says why."""


def settings_of(assignments: Iterable[str] = (), **given: Any) -> SimulatorSettings:
    """Read the settings: the environment's, but for those that are given otherwise.

    Args:
        assignments: Texts like `checks_per_day=3`, with the names of the variables or of fields.
        given: Settings by name; what is None is left to the environment.

    Raises:
        UnusableSettingError: A name or a value is unusable.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    for assignment in assignments:
        written, found, value = assignment.partition("=")
        name = written.strip().lower().removeprefix("erp_sim_")
        if not found or name not in SimulatorSettings.model_fields:
            known = ", ".join(SimulatorSettings.model_fields)
            raise UnusableSettingError(f"{assignment!r} is no NAME=VALUE; the names are {known}")
        chosen[name] = value
    try:
        return SimulatorSettings(**chosen)
    except ValidationError as error:
        faults = (f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors(include_url=False))
        raise UnusableSettingError("; ".join(faults)) from error
