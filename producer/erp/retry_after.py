"""The Retry-After header: how long a server asks clients to wait."""

import email.utils
from datetime import UTC, datetime


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header: seconds, or an HTTP date (RFC 9110, 10.2.3).

    Returns:
        Seconds from `now`, at least 0; None when the header is absent or unreadable.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
