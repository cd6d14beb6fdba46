"""Passwords for PostgreSQL on RDS, made from the AWS credentials; each is good for 15 minutes.

Nothing is sent for it, unless the SDK must fetch credentials first.
"""

from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from runtime.aws_clients import AwsUnusable
from runtime.aws_errors import AWS_ERRORS, classify
from runtime.settings import AwsSettings


def database_token(settings: AwsSettings, host: str, port: int, user: str) -> str:
    """Return a token to connect with, signed for host, port and user. Blocks.

    Raises:
        AwsUnusable: there is no region, or there are no credentials.
    """
    secret, token = settings.aws_secret_access_key, settings.aws_session_token
    try:
        client = _client(
            settings.aws_region,
            settings.aws_access_key_id,
            secret and secret.get_secret_value(),
            token and token.get_secret_value(),
        )
        return str(client.generate_db_auth_token(host, port, user))
    except (BotoCoreError, *AWS_ERRORS, ValueError) as error:
        raise AwsUnusable(classify(error)) from error


@cache
def _client(region: str | None, key: str | None, secret: str | None, token: str | None) -> Any:
    """Return a client; it signs, and renews the credentials of a role by itself."""
    return get_session().create_client(
        "rds",
        region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
