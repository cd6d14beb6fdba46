"""The console's settings, beside those of the consumer's that it shares."""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, SecretStr, model_validator

from console.access_settings import AccessSettings
from consumer.settings import ConsumerSettings, DatabaseSettings
from runtime.postgres import read_password


class ConsoleSettings(ConsumerSettings, AccessSettings):
    """The settings of `console serve`."""

    program: ClassVar[str] = "coco-ingest-console"

    console_port: int = Field(8090, ge=0, le=65535, description="port of the pages; 0: a free one")
    console_db_user: str | None = Field(
        None, description="role that may only read, for all that pages show; unset: `DB_USER`"
    )
    console_db_password: SecretStr | None = Field(None, description="password of that role")
    console_db_password_file: Path | None = Field(
        None, description="file with that password, read anew for each connection"
    )
    console_audit_db_user: str | None = Field(
        None,
        description="role that may only write down what operators do, and carry it on; unset: "
        "`DB_USER`",
    )
    console_audit_db_password: SecretStr | None = Field(None, description="password of that role")
    console_audit_db_password_file: Path | None = Field(
        None, description="file with that password, read anew for each connection"
    )
    console_statement_timeout_seconds: int = Field(
        5, ge=1, le=300, description="longest query of a page before it is cancelled"
    )
    console_answer_seconds: float = Field(
        8,
        gt=0,
        le=600,
        description="how long a page waits for PostgreSQL, a queue or the lake before it is shown "
        "without what that would have told",
    )
    console_story_bytes: int = Field(
        32 * 2**20,
        ge=0,
        description="largest store-day, all its versions of checks together, whose documents are "
        "read again to tell its story",
    )
    console_story_seconds: float = Field(
        60, gt=0, le=3600, description="how long a page waits for that"
    )
    console_day_ends_hours: int = Field(
        24,
        ge=0,
        le=72,
        description="hours after 00:00 UTC of a business date at which it has ended in all stores: "
        "an answer that was asked for earlier shows a day that is still open",
    )
    console_due_hours: int = Field(
        12,
        ge=0,
        le=720,
        description="hours after that by which a day's answers are due: from then on they are "
        "missing, or late",
    )

    @property
    def reading(self) -> "ConsoleSettings":
        """How to reach PostgreSQL for reading: with the role for it, if there is one."""
        return self._as_role("console_db")

    @property
    def auditing(self) -> DatabaseSettings:
        """How to reach PostgreSQL to write down what operators do."""
        return self._as_role("console_audit_db")

    def _as_role(self, prefix: str) -> "ConsoleSettings":
        user, password, file = (
            getattr(self, f"{prefix}_{name}") for name in ("user", "password", "password_file")
        )
        if user is None:
            return self
        return self.model_copy(
            update={"db_user": user, "db_password": password, "db_password_file": file}
        )

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        for prefix in ("CONSOLE_DB", "CONSOLE_AUDIT_DB"):
            user, password, file = (
                getattr(self, f"{prefix}_{name}".lower())
                for name in ("USER", "PASSWORD", "PASSWORD_FILE")
            )
            if password and file:
                raise ValueError(
                    f"{prefix}_PASSWORD and {prefix}_PASSWORD_FILE are set; leave one of them"
                )
            if (password or file) and user is None:
                raise ValueError(
                    f"a password of the console's role is set, and no {prefix}_USER; set that too"
                )
            if file:
                read_password(file)
        return self
