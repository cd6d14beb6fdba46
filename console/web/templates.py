"""Templates: escaped, strict about names, with the few filters that all pages need."""

from calendar import day_name, month_name
from datetime import UTC, date, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from console.web.links import find, store_day
from console.web.static_files import static_url

_LONG = 160  # characters


def number(value: Any) -> str:
    """Write a number with separators of thousands, as many decimals as it has; nothing for None."""
    return "" if value is None else f"{value:,}"


def money(value: Any) -> str:
    """Write an amount with two decimals, more where it has more; nothing for None."""
    if value is None:
        return ""
    return f"{value:,.2f}" if round(value, 2) == value else f"{value:,}"


def moment(value: datetime | None) -> Markup | str:
    """Write a time to the second, in UTC."""
    if value is None:
        return ""
    told = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        told.isoformat(timespec="seconds"), f"{told:%Y-%m-%d %H:%M:%S} UTC"
    )


def when(value: str) -> Markup | str:
    """Write a time that comes as JSON has it."""
    return moment(datetime.fromisoformat(value))


def weekday(value: date) -> str:
    """Return the day's name."""
    return day_name[value.weekday()]


def month(value: date) -> str:
    """Return the month's name and the year."""
    return f"{month_name[value.month]} {value.year}"


def plural(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun: `1 day`, `1,204 days`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def shortened(text: str) -> str:
    """Leave the middle out of what is too long to be shown a few hundred times."""
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]}…{text[-_LONG // 2 :]}"


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
        "money": money,
        "moment": moment,
        "when": when,
        "weekday": weekday,
        "plural": plural,
        "shortened": shortened,
        "month": month,
    }
    made.globals |= {"static": static_url, "find": find, "store_day": store_day}
    return made


TEMPLATES = _environment()
