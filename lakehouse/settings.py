"""The settings of `lakehouse`: read from the environment and `.env`, checked once at start."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from lakehouse.tables import PERSONAL_COLUMNS
from runtime.postgres import PostgresSettings
from runtime.settings import ServiceSettings


def _split(text: Any) -> Any:
    return [name for name in re.split(r"[,\s]+", text) if name] if isinstance(text, str) else text


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class LakehouseSettings(ServiceSettings, PostgresSettings):
    """All settings of `lakehouse`."""

    program: ClassVar[str] = "coco-ingest-lakehouse"

    bucket_name: str = Field(min_length=3, description="bucket of the data lake")
    lakehouse_catalog: str = Field(
        "postgres",
        description="`postgres` (tables beside ours, in the same database), `glue`, or the address "
        "of an Iceberg REST catalogue",
    )
    lakehouse_catalog_token: SecretStr | None = Field(
        None, description="bearer token of the REST catalogue"
    )
    lakehouse_catalog_warehouse: str | None = Field(
        None, description="name of the warehouse in the REST catalogue, if it has several"
    )
    lakehouse_namespace: str = Field(
        "coco", pattern="^[a-z0-9_]+$", description="namespace of the tables; the database in Glue"
    )
    lakehouse_personal_columns: Names = Field(
        (),
        description="columns with personal data to export too, separated by commas: `chk_name`, "
        "`ref_info1`, `ref_info2`; then `lakehouse export --all` fills the days exported before",
    )
    lakehouse_batch_days: int = Field(
        31, ge=1, le=366, description="most business days that one batch exports"
    )
    lakehouse_keep_days: float = Field(
        7, ge=0, le=3660, description="age up to which `lakehouse clean` keeps old snapshots"
    )
    lakehouse_longest_export_hours: float = Field(
        24,
        ge=0,
        le=720,
        description="age up to which `lakehouse clean` spares files that no table names: an "
        "export under way may still commit them",
    )

    @property
    def catalog_uri(self) -> str | None:
        """The address of the REST catalogue, if that is the one."""
        return self.lakehouse_catalog if "://" in self.lakehouse_catalog else None

    @field_validator("lakehouse_catalog")
    @classmethod
    def _check_catalog(cls, text: str) -> str:
        if not re.fullmatch(r"postgres|glue|https?://\S+", text):
            raise ValueError("write postgres, glue or http(s)://…")
        return text

    @field_validator("lakehouse_personal_columns")
    @classmethod
    def _check_columns(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(names) - PERSONAL_COLUMNS:
            known = ", ".join(sorted(PERSONAL_COLUMNS))
            raise ValueError(f"{', '.join(sorted(unknown))}: only {known} are left out by default")
        return names
