"""Where pages are that others lead to."""

from datetime import date
from urllib.parse import quote, urlencode


def query(path: str, **values: object) -> str:
    """Return a path with its query; what is None is left out."""
    told = urlencode({name: value for name, value in values.items() if value is not None})
    return f"{path}?{told}" if told else path


def store_day(store: str, day: date) -> str:
    """Return the address of a store-day's page, short: one page has two thousand of them."""
    if store.strip(".") == "" or "\\" in store:
        # Browsers take dots for directories, and a backslash for a slash.
        return query("/day", store=store, day=day)
    return f"/day/{day}/{quote(store, safe='')}"


def find(words: object) -> str:
    """Return the address of what is found for some words."""
    return query("/find", q=words)
