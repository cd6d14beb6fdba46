"""What can be set about the simulated ERP."""

from datetime import UTC, date, datetime

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

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
