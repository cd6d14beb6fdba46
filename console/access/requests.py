"""What is known of a request before it is answered: for us, and from a page of ours? Pure."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: Scripts and styles are files of ours; nothing is inline, embedded, or sent elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def is_for_us(host: str, names: frozenset[str]) -> bool:
    """Say whether a Host header names us: another name may be a page's that points at us.

    Loopback names may have any port, others the one that was allowed, or the scheme's.
    """
    name, colon, port = host.lower().rpartition(":")
    if not colon or not port.isdigit():
        name = host.lower()
    return name in _LOOPBACK or host.lower() in names


def is_from_our_page(headers: Headers) -> bool:
    """Say whether a page of ours sent this, or a program that carries its token in a header.

    Browsers tell (Fetch Metadata; RFC 6454): Sec-Fetch-Site of secure addresses, Origin of every
    POST. No page can make a browser send an Authorization header to us.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site == "same-origin"
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return headers.get("authorization", "").lower().startswith("bearer ")
