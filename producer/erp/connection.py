"""How the ERP is reached: its address, a proxy, TLS, a token or an `x-api-key`.

Credentials in `~/.netrc` are not used: they would take the place of the token.
"""

import ssl
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import structlog
from pydantic import SecretStr
from yarl import URL

from producer.settings import Settings, header_safe
from runtime.errors import SettingsInvalid

log = structlog.get_logger(__name__)


def base_url_of(settings: Settings) -> URL:
    """Return the ERP's address; raises SettingsInvalid if API_BASE_URL is not usable."""
    address = settings.api_base_url
    if address is None:
        raise SettingsInvalid("API_BASE_URL is not set; export it or add it to .env")
    if address.username or address.password:
        raise SettingsInvalid(
            "API_BASE_URL contains credentials; remove them and set API_TOKEN or API_KEY"
        )
    if address.query or address.fragment:
        raise SettingsInvalid(
            "API_BASE_URL contains a query or a fragment (? or #), and endpoint paths are added "
            "to its end; remove it, and set API_KEY if it is a key"
        )
    return URL(str(address).rstrip("/"))


def proxy_for(base_url: URL) -> URL | None:
    """Return the proxy of the environment; raises SettingsInvalid if it is not usable."""
    proxies = getproxies()
    if base_url.scheme not in proxies or proxy_bypass(base_url.authority):
        return None
    name = f"{base_url.scheme.upper()}_PROXY"
    address = proxies[base_url.scheme]
    try:
        proxy = URL(address if "://" in address else f"http://{address}")
    except ValueError as error:
        raise SettingsInvalid(f"{name} is not the address of a proxy; correct it") from error
    if proxy.scheme not in ("http", "https") or not proxy.host:
        raise SettingsInvalid(
            f"{name} is a {proxy.scheme} proxy, but only http:// and https:// proxies are "
            "supported; correct it, or add the ERP's host to NO_PROXY"
        )
    return proxy


def tls_of(settings: Settings) -> ssl.SSLContext:
    """Return what is trusted, and what the ERP is shown; raises SettingsInvalid. Blocks."""
    name, path = "ERP_CA_FILE", settings.erp_ca_file
    try:
        tls = ssl.create_default_context(cafile=path)
        if settings.erp_client_cert_file is not None:
            name = "ERP_CLIENT_CERT_FILE or ERP_CLIENT_KEY_FILE"
            path = settings.erp_client_cert_file
            # The empty password keeps OpenSSL from asking for one on the terminal.
            tls.load_cert_chain(path, settings.erp_client_key_file, password="")
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"{name} cannot be used ({path}: {error}); it must be an unencrypted PEM file"
        ) from error
    return tls


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
