"""Settings of who may look and who may act; checked together before anything listens."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from consumer.settings import Names
from runtime.settings import CONFIG

_ARN = re.compile(
    r"arn:(aws|aws-cn|aws-us-gov):elasticloadbalancing:[a-z0-9-]+:\d{12}:loadbalancer/app/\S+"
)
_TOKEN_CHARACTERS = 16  # fewer can be guessed
_HELP = "docs/console.md shows both ways"


class AccessSettings(BaseSettings):
    """How visitors prove who they are, and what they may do."""

    model_config = CONFIG

    console_host: str = Field("127.0.0.1", description="address that the pages are served on")
    console_auth: Literal["none", "token", "alb"] = Field(
        "none",
        description="how visitors prove who they are: `none` (on a loopback address only), "
        "`token`, or `alb`: what an Application Load Balancer signs after its OIDC log-in",
    )
    console_hosts: Names = Field(
        (),
        description="host names that the console answers to, besides those of the loopback "
        "address, separated by commas; with a port where it is not the scheme's",
    )
    console_operators: Names = Field(
        (),
        description="who may replay, purge and read documents, separated by commas: e-mail or "
        "subject (`alb`), name of a token, or `local` (`none`); unset: nobody, all pages are "
        "read-only",
    )
    console_token: SecretStr | None = Field(
        None,
        description="tokens that open the console, separated by commas, each as `name:token`; a "
        "token has 16 characters or more",
    )
    console_token_file: Path | None = Field(None, description="file with such tokens, one a line")
    console_alb_arn: str | None = Field(
        None, description="ARN of the load balancer whose signature is trusted"
    )
    console_alb_client_id: str | None = Field(
        None, description="client id of its log-in action at the identity provider"
    )
    console_alb_issuer: str | None = Field(
        None, description="issuer of its log-in action: the identity provider's URL"
    )
    console_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="key that signs plans and log-ins, 32 characters or more, the same for all "
        "consoles behind one address; unset: a new one at each start, which ends both",
    )

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach the address."""
        if self.console_host == "localhost":
            return True
        try:
            return ip_address(self.console_host).is_loopback
        except ValueError:
            return False

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens by their names; raises ValueError. Blocks."""
        text = self.console_token.get_secret_value() if self.console_token else ""
        if self.console_token_file is not None:
            try:
                text = self.console_token_file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(
                    f"CONSOLE_TOKEN_FILE cannot be read: {error}; correct its path or permissions"
                ) from error
        found: dict[str, str] = {}
        for entry in filter(None, (one.strip() for one in re.split(r"[,\n]", text))):
            name, colon, token = entry.rpartition(":")
            name = name.strip() if colon else "token"
            if len(token.strip()) < _TOKEN_CHARACTERS or not name or name in found:
                raise ValueError(
                    "each console token is written `name:token`, names differ, and a token has "
                    f"{_TOKEN_CHARACTERS} characters or more; make one: openssl rand -hex 24"
                )
            found[name] = token.strip()
        return found

    @model_validator(mode="after")
    def _check_access(self) -> Self:
        if self.console_auth == "none" and not self.is_loopback:
            raise ValueError(
                f"CONSOLE_HOST={self.console_host} can be reached from other machines, and anybody "
                "there could read and act; set CONSOLE_AUTH=alb or CONSOLE_AUTH=token, or leave "
                f"CONSOLE_HOST at 127.0.0.1 ({_HELP})"
            )
        if self.console_token and self.console_token_file:
            raise ValueError("CONSOLE_TOKEN and CONSOLE_TOKEN_FILE are set; leave one of them")
        if self.console_auth == "token" and not self.tokens:
            raise ValueError(
                f"CONSOLE_AUTH=token needs CONSOLE_TOKEN or CONSOLE_TOKEN_FILE ({_HELP})"
            )
        if self.console_auth == "alb":
            self._check_balancer()
        return self

    def _check_balancer(self) -> None:
        names = ("console_alb_arn", "console_alb_client_id", "console_alb_issuer")
        if missing := [name.upper() for name in names if not getattr(self, name)]:
            raise ValueError(
                f"CONSOLE_AUTH=alb needs {', '.join(missing)}, as the load balancer's log-in "
                "action has them"
            )
        if not _ARN.fullmatch(self.console_alb_arn or ""):
            raise ValueError(
                "CONSOLE_ALB_ARN is no ARN of an Application Load Balancer: "
                "arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/app/<name>/<id>"
            )
