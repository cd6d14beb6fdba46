"""How the ERP is reached: its address, a proxy, TLS.

The proxy is that of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as for the AWS SDK. Credentials in
`~/.netrc` are not used: they would take the place of the token.
"""

import ssl
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from producer.settings import Settings
from runtime.errors import SettingsInvalid


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
