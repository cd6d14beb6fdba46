"""What failed requests mean: aiohttp's errors, and statuses other than 200."""

import asyncio
import email.utils
import ssl
from datetime import UTC, datetime

import aiohttp

from producer import errors
from producer.json_text import NotJson, parse_json
from producer.pulling.answers import error_text

_COME_BACK = frozenset({408, 425, 429})


def map_error(error: aiohttp.ClientError) -> errors.ErpError:
    """Return the error for one of aiohttp's; the caller raises it `from` the original."""
    reason = str(error) or type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        verdict = getattr(cause, "verify_message", None) or str(cause)
        return errors.ErpMisconfigured(
            f"TLS: the ERP's certificate is not trusted: {verdict}; set ERP_CA_FILE to the CA that "
            "signed it, or correct API_BASE_URL"
        )
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(error.__cause__, ssl.SSLError):
        return errors.ErpMisconfigured(
            f"TLS with the ERP failed: {reason}; check API_BASE_URL, ERP_CLIENT_CERT_FILE and "
            "ERP_CLIENT_KEY_FILE"
        )
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return errors.ErpMisconfigured(f"the address of the ERP is unusable: {reason}")
    if isinstance(error, aiohttp.ClientHttpProxyError):  # its text shows the proxy's password
        if 400 <= error.status < 500:
            return _refused_by_proxy(error.status)
        return errors.ErpUnavailable(
            f"the proxy has no connection to the ERP: it answered {error.status}"
        )
    return errors.ErpUnavailable(f"connection to the ERP failed: {reason}")


def _refused_by_proxy(status: int) -> errors.ErpMisconfigured:
    return errors.ErpMisconfigured(
        f"the proxy refuses the connection to the ERP with {status}; check HTTP_PROXY, HTTPS_PROXY "
        "and NO_PROXY, and what the proxy allows"
    )


async def refusal(response: aiohttp.ClientResponse) -> errors.ErpError:
    """Return the error for a status other than 200."""
    if response.status == 407:
        return _refused_by_proxy(response.status)
    message = f"the ERP answered {response.status}{await _excerpt(response)}"
    if response.status in _COME_BACK or response.status >= 500:
        wait = retry_after_seconds(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait is not None:
            message += f"; it asks to wait {wait:g} s"
        return errors.ErpUnavailable(message, wait)
    if response.status in (401, 403):
        message += "; check API_TOKEN, API_TOKEN_FILE or API_KEY, and what they may read"
    return (errors.ErpUnauthorized if response.status == 401 else errors.ErpRefused)(message)


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Return the seconds from `now` of a Retry-After header, at least 0 (RFC 9110, 10.2.3)."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


async def _excerpt(response: aiohttp.ClientResponse) -> str:
    """Return the text of an error body, or nothing; never fails over a broken one."""
    try:
        async with asyncio.timeout(5):
            document = parse_json(await response.content.read(8 * 1024))
    except (NotJson, TimeoutError, aiohttp.ClientError):
        return ""
    return f": {error_text(document)}" if isinstance(document, dict) and document else ""
