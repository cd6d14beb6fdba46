"""Who may call: everyone, or whoever sends the bearer token that was set."""

import secrets
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr
from starlette.exceptions import HTTPException

_bearer = HTTPBearer(auto_error=False, description="Only needed where API_TOKEN is set.")
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def token_check(expected: SecretStr | None) -> Callable[[HTTPAuthorizationCredentials], None]:
    """Return the dependency that answers 401 to callers without the expected token."""

    def check(credentials: _Credentials) -> None:
        if expected is None:
            return
        sent = credentials.credentials if credentials else ""
        if not secrets.compare_digest(sent.encode(), expected.get_secret_value().encode()):
            raise HTTPException(
                401, "send the bearer token of API_TOKEN", {"WWW-Authenticate": "Bearer"}
            )

    return check
