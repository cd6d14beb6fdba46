"""The one place that builds the guard from the settings, and what pages need of it."""

import secrets
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from console.access.alb import Balancer, LoadBalancer, fetch_from, keys_url
from console.access.guard import Authenticator
from console.access.identities import Identity, identity
from console.access.sealing import Sealer
from console.access.tokens import Tokens
from console.access_settings import AccessSettings


class _Local:
    """Everybody on this machine is `local`."""

    def __init__(self, found: Identity) -> None:
        self._found = found

    async def identify(self, _connection: HTTPConnection) -> Identity:
        """Return the one identity there is."""
        return self._found


@dataclass(frozen=True)
class Doors:
    """Who is let in, and the seal of plans; `tokens` where people log in with one."""

    authenticator: Authenticator
    plans: Sealer
    tokens: Tokens | None
    hosts: frozenset[str]


def open_doors(settings: AccessSettings) -> Doors:
    """Build the doors that the settings ask for."""
    given = settings.console_secret
    key = given.get_secret_value().encode() if given else secrets.token_bytes(32)
    operators = settings.console_operators
    tokens = None
    authenticator: Authenticator = _Local(identity(("local",), operators))
    if settings.console_auth == "token":
        sessions = Sealer(key, "session")
        authenticator = tokens = Tokens(settings.tokens, operators, sessions)
    elif settings.console_auth == "alb":
        arn = settings.console_alb_arn or ""
        client_id, issuer = settings.console_alb_client_id, settings.console_alb_issuer
        balancer = Balancer(arn, client_id or "", issuer or "")
        authenticator = LoadBalancer(balancer, operators, fetch_from(keys_url(arn)))
    return Doors(authenticator, Sealer(key, "plan"), tokens, frozenset(settings.console_hosts))
