"""Templates: escaped, strict about names, with the few filters that all pages need."""

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from console.web.static_files import static_url


def number(value: Any) -> str:
    """Write a number with separators of thousands, as many decimals as it has; nothing for None."""
    return "" if value is None else f"{value:,}"


def moment(value: datetime | None) -> Markup | str:
    """Write a time to the second, in UTC."""
    if value is None:
        return ""
    told = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        told.isoformat(timespec="seconds"), f"{told:%Y-%m-%d %H:%M:%S} UTC"
    )


def weekday(value: date) -> str:
    """Return the day's name, in English whatever the locale."""
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return names[value.weekday()]


def plural(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: `1 day`, `1,204 days`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def segment(value: object) -> str:
    """Quote text as one segment of a path."""
    return quote(str(value), safe="")


def query(path: str, **values: object) -> str:
    """Return a path with its query; what is None is left out."""
    told = urlencode({name: value for name, value in values.items() if value is not None})
    return f"{path}?{told}" if told else path


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": number,
        "moment": moment,
        "weekday": weekday,
        "plural": plural,
        "segment": segment,
    }
    made.globals |= {"static": static_url, "query": query}
    return made


TEMPLATES = _environment()
