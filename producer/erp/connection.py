"""How the ERP is reached: its address, a proxy, TLS.

The proxy is that of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as for the AWS SDK. Credentials in
`~/.netrc` are not used: they would take the place of the token.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

from pydantic import HttpUrl
from yarl import URL

from producer.settings import Settings
from runtime.errors import SettingsInvalid


@dataclass(frozen=True, slots=True)
class ErpConnection:
    """Where requests go, and through what.

    Attributes:
        base_url: The ERP's address, without endpoint paths.
        proxy: The proxy's address, with its credentials; None without one.
        tls: What is trusted, and what the ERP is shown.
    """

    base_url: URL
    proxy: URL | None
    tls: ssl.SSLContext


def erp_connection(settings: Settings) -> ErpConnection:
    """Return the connection of the settings. Blocks, briefly: reads certificates.

    Raises:
        SettingsInvalid: API_BASE_URL is not set or unusable, a certificate cannot be read, or
            the proxy's address is unusable.
    """
    if settings.api_base_url is None:
        raise SettingsInvalid("API_BASE_URL is not set; export it or add it to .env")
    base_url = _base_url(settings.api_base_url)
    return ErpConnection(base_url, _proxy(base_url), _tls(settings))


def _base_url(address: HttpUrl) -> URL:
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


def _proxy(base_url: URL) -> URL | None:
    """Return the proxy that the environment names for an address."""
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


def _tls(settings: Settings) -> ssl.SSLContext:
    ca_file, cert_file = settings.erp_ca_file, settings.erp_client_cert_file
    try:
        tls = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise _unreadable("ERP_CA_FILE", ca_file, error) from error
    if cert_file is not None:
        try:
            # The empty password keeps OpenSSL from asking for one on the terminal.
            tls.load_cert_chain(cert_file, settings.erp_client_key_file, password="")
        except (OSError, ValueError) as error:
            raise _unreadable(
                "ERP_CLIENT_CERT_FILE or ERP_CLIENT_KEY_FILE", cert_file, error
            ) from error
    return tls


def _unreadable(name: str, path: Path | None, error: Exception) -> SettingsInvalid:
    return SettingsInvalid(
        f"{name} cannot be used ({path}: {error}); it must be an unencrypted PEM file"
    )
