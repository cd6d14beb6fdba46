"""Who may call: everyone, or whoever sends the token of the day.

A token comes as a bearer token or as `x-api-key`. Tokens expire when another one is issued; the
control routes keep the one of the settings.
"""

import secrets
from typing import Annotated

from fastapi import Depends
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr
from starlette.exceptions import HTTPException

_ONLY = "Only needed where API_TOKEN is set."
_bearer = HTTPBearer(auto_error=False, description=_ONLY)
_api_key = APIKeyHeader(name="x-api-key", auto_error=False, description=_ONLY)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
_ApiKey = Annotated[str | None, Depends(_api_key)]


class Access:
    """Checks tokens; a dependency of the routes."""

    def __init__(self, expected: SecretStr | None) -> None:
        self._expected = expected

    def renew(self, token: SecretStr) -> None:
        """Let the token in force expire: from now on only `token` is accepted."""
        self._expected = token

    def check(self, credentials: _Credentials, api_key: _ApiKey) -> None:
        """Let callers with the token pass.

        Raises:
            HTTPException: 401, the token is missing or not in force (any more).
        """
        if self._expected is None:
            return
        sent = credentials.credentials if credentials else api_key or ""
        if not sent:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "send the token of API_TOKEN", challenge)
        if not secrets.compare_digest(sent.encode(), self._expected.get_secret_value().encode()):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise HTTPException(401, "the token is wrong or has expired: renew it", challenge)
