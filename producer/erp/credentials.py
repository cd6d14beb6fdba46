"""Credentials for the ERP: a bearer token, an `x-api-key`, or both."""

from pathlib import Path

import structlog
from pydantic import SecretStr

from producer.settings import Settings, header_safe
from runtime.errors import SettingsInvalid

log = structlog.get_logger(__name__)


class Credentials:
    """Token and key as request headers; a token from a file can be renewed."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.api_key
        self._file = settings.api_token_file
        self._token = settings.api_token if self._file is None else read_token(self._file)

    def headers(self) -> dict[str, str]:
        """Return the headers for the next request."""
        token, key = (secret and secret.get_secret_value() for secret in (self._token, self._key))
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return bearer | ({"x-api-key": key} if key else {})

    def renew(self) -> bool:
        """Read the token file again; return False when there is none, or it cannot be read."""
        if self._file is None:
            return False
        try:
            self._token = read_token(self._file)
        except SettingsInvalid as error:
            log.warning("token_not_renewed", reason=str(error))
            return False
        log.info("token_renewed")
        return True


def read_token(path: Path) -> SecretStr:
    """Read a token from its file; raises SettingsInvalid if there is none. Blocks."""
    try:
        token = header_safe(SecretStr(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsInvalid(
            f"API_TOKEN_FILE cannot be read: {error}; correct its path or permissions"
        ) from error
    except ValueError as error:
        raise SettingsInvalid(f"API_TOKEN_FILE {path} cannot be used: it {error}") from error
    if not token.get_secret_value():
        raise SettingsInvalid(f"API_TOKEN_FILE {path} is empty; write the token into it")
    return token
