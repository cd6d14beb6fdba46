"""What the producer shows the ERP: a bearer token, an `x-api-key`, or both."""

from pathlib import Path

import structlog
from pydantic import SecretStr

from producer.errors import ConfigurationError
from producer.settings import Settings, header_safe

log = structlog.get_logger(__name__)


class Credentials:
    """Token and key as request headers; a token from a file can be renewed.

    Raises:
        ConfigurationError: API_TOKEN_FILE cannot be read or holds no token.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = settings.api_key
        self._file = settings.api_token_file
        self._token = settings.api_token if self._file is None else read_token(self._file)

    def headers(self) -> dict[str, str]:
        """Return the headers for the next request."""
        headers = {}
        if self._token is not None and self._token.get_secret_value():
            headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        if self._key is not None and self._key.get_secret_value():
            headers["x-api-key"] = self._key.get_secret_value()
        return headers

    def renew(self) -> bool:
        """Read the token's file again; False when there is none, or none that can be read."""
        if self._file is None:
            return False
        try:
            self._token = read_token(self._file)
        except ConfigurationError as exc:
            log.warning("token.not_renewed", reason=str(exc))
            return False
        log.info("token.renewed")
        return True


def read_token(path: Path) -> SecretStr:
    """Read a token from its file; space around it does not count. Blocks, briefly.

    Raises:
        ConfigurationError: The file cannot be read, or what it holds cannot be a token.
    """
    try:
        token = header_safe(SecretStr(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise ConfigurationError(
            f"API_TOKEN_FILE cannot be read: {exc}; correct its path or permissions"
        ) from exc
    except ValueError as exc:
        raise ConfigurationError(f"what API_TOKEN_FILE {path} holds is no token: {exc}") from exc
    if not token.get_secret_value():
        raise ConfigurationError(f"API_TOKEN_FILE {path} is empty; write the token into it")
    return token
