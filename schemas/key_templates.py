"""Keys read by templates, for lakes that exist already.

A template is a key with placeholders, such as
`dados/{endpoint}/ano={yyyy}/mes={mm}/dia={dd}/loja={store}/{name}.json`. Its source is what stands
at `{endpoint}`, or a name before it, as in `getGuestChecks=vendas/{store}/{day}.json`. What a
template does not name, store or day, the document has to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product
from urllib.parse import unquote

from schemas.keys import ERP_PREFIX, OWN_OUTPUT
from schemas.registry import ENDPOINTS_BY_NAME, Source

_PATTERNS = {
    "store": r"[^/]+",
    "name": r"[^/]+",
    "endpoint": "|".join(ENDPOINTS_BY_NAME),
    "day": r"\d{4}-\d\d-\d\d|\d{8}",
    "yyyy": r"\d{4}",
    "mm": r"\d{1,2}",
    "dd": r"\d{1,2}",
}
_SAMPLES = {
    "store": "001",
    "name": "x",
    "endpoint": next(iter(ENDPOINTS_BY_NAME)),
    "day": "2024-01-31",
    "yyyy": "2024",
    "mm": "01",
    "dd": "31",
}
_ELASTIC = ("store", "name", "mm", "dd")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_UNSEPARATED = re.compile(r"\{(?:store|name)\}\{|\}\{(?:store|name)\}")
_DATE_PARTS = ("yyyy", "mm", "dd")
GZIP_ENDING = ".gz"


class TemplateInvalid(ValueError):
    """A key template cannot be used; the message has the template, the place and the remedy."""


@dataclass(frozen=True, slots=True)
class TemplateKey:
    """What a key of a configured layout says; the document names what is None."""

    source: Source
    bus_dt: date | None
    store_id: str | None


@dataclass(frozen=True, slots=True)
class KeyTemplate:
    """One template. The lazy form tells keys that can be read in two ways."""

    text: str
    source: Source | None
    greedy: re.Pattern[str]
    lazy: re.Pattern[str]

    @property
    def prefix(self) -> str:
        """What every key begins with."""
        return _parts(self.text)[1].partition("{")[0]

    def day_prefixes(self, day: date) -> Iterator[str]:
        """Give what the keys of one day begin with; nothing if something free stands before it."""
        start = re.split(r"\{store\}|\{name\}", _parts(self.text)[1])[0]
        names = set(_PLACEHOLDER.findall(start))
        if "day" not in names and not names.issuperset(_DATE_PARTS):
            return
        for endpoint, width in product(ENDPOINTS_BY_NAME, (1, 2)):
            parts = {"mm": f"{day.month:0{width}}", "dd": f"{day.day:0{width}}"}
            whole = f"{day:%Y%m%d}" if width == 1 else day.isoformat()
            values = {"endpoint": endpoint, "day": whole, "yyyy": f"{day:%Y}", **parts}
            yield _PLACEHOLDER.sub(lambda found, told=values: told[found[1]], start)

    def read(self, key: str) -> TemplateKey | None:
        """Read what a key says; None when it does not fit, or fits in two ways."""
        plain = key.removesuffix(GZIP_ENDING)
        match, other = self.greedy.fullmatch(plain), self.lazy.fullmatch(plain)
        if match is None or other is None or match.groups() != other.groups():
            return None
        found = match.groupdict()
        source = self.source or Source(found["endpoint"])
        try:
            bus_dt = _day(found)
            store_id = unquote(found["store"], errors="strict") if "store" in found else None
        except (ValueError, UnicodeDecodeError):
            return None
        return None if store_id and "\0" in store_id else TemplateKey(source, bus_dt, store_id)


def read_template(text: str) -> KeyTemplate:
    """Read one template.

    Raises:
        TemplateInvalid: It is unusable.
    """
    source, key = _parts(text)
    for problem in _problems(text, key, source):
        raise TemplateInvalid(f"{text!r}: {problem}")
    return KeyTemplate(text, source, _pattern(key, ""), _pattern(key, "?"))


def _parts(text: str) -> tuple[Source | None, str]:
    """Split a template into the source named before it, if any, and the key."""
    name, equals, key = text.partition("=")
    return (Source(name), key) if equals and name in set(Source) else (None, text)


def _problems(text: str, key: str, source: Source | None) -> Iterator[str]:
    """Give what is wrong with a template, and the remedy."""
    names = _PLACEHOLDER.findall(text)
    for found in re.finditer(r"[{}]", _PLACEHOLDER.sub(lambda one: "-" * len(one[0]), text)):
        yield f"the {found[0]} at character {found.start() + 1} has no partner; remove it"
    for found in _PLACEHOLDER.finditer(text):
        if found[1] not in _PATTERNS:
            known = " ".join(f"{{{name}}}" for name in _PATTERNS)
            yield f"{found[0]} at character {found.start() + 1} is unknown; use {known}"
    if "://" in key or key.startswith("/") or key.endswith("/") or not key:
        yield "it must be a key, without bucket and leading slash, and end in a file's name"
    if key.startswith((*OWN_OUTPUT, ERP_PREFIX)):
        yield "keys under logs/, processed/ and raw/erp/ have a fixed meaning; use another folder"
    if source is None and "endpoint" not in names:
        sources = ", ".join(f"{source}=" for source in Source)
        yield f"it names no source; put {{endpoint}} into it, or one of {sources} before it"
    if source is not None and "endpoint" in names:
        yield f"{source}= and {{endpoint}} both name the source; remove one"
    parts = set(_DATE_PARTS) & set(names)
    if parts and ("day" in names or len(parts) < len(_DATE_PARTS)):
        yield "a day is {day}, or {yyyy}, {mm} and {dd} together; correct it"
    for found in _UNSEPARATED.finditer(text):
        yield f"nothing separates the placeholders at character {found.start() + 1}; put / there"


def _pattern(key: str, lazy: str) -> re.Pattern[str]:
    """Compile a template; a placeholder that comes again stands for the same text, but `{name}`."""
    seen: set[str] = set()
    parts = []
    for part in re.split(r"(\{[^{}]*\})", key.removesuffix(GZIP_ENDING)):
        name = part[1:-1]
        if not part.startswith("{"):
            parts.append(re.escape(part))
        elif name in seen and name != "name":
            parts.append(f"(?P={name})")
        else:
            label = f"{name}{len(parts)}" if name == "name" else name
            seen.add(name)
            parts.append(f"(?P<{label}>{_PATTERNS[name]}{lazy if name in _ELASTIC else ''})")
    return re.compile("".join(parts), re.ASCII)


def _day(found: dict[str, str]) -> date | None:
    if "day" in found:
        return date.fromisoformat(found["day"])
    if "yyyy" in found:
        return date(*(int(found[part]) for part in _DATE_PARTS))
    return None


def sample_key(text: str) -> str:
    """Return a key that a template's text describes."""
    return _PLACEHOLDER.sub(lambda found: _SAMPLES[found[1]], _parts(text)[1])


def overlap(one: KeyTemplate, other: KeyTemplate) -> bool:
    """Say whether two templates may read one key: in each folder a sample of one fits the other."""
    ours, theirs = (_parts(template.text)[1].split("/") for template in (one, other))
    return len(ours) == len(theirs) and all(
        _pattern(a, "").fullmatch(sample_key(b)) or _pattern(b, "").fullmatch(sample_key(a))
        for a, b in zip(ours, theirs, strict=True)
    )
