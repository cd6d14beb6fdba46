"""The layouts of lakes that exist already: keys read by templates, beside our own layout.

A template is a key with placeholders, such as
`dados/{endpoint}/ano={yyyy}/mes={mm}/dia={dd}/loja={store}/{name}.json`. Its source is what stands
at `{endpoint}`, or a name before it, as in `getGuestChecks=vendas/{store}/{day}.json`. What a
template does not name, store or day, the document has to. Our own layout (`schemas.keys`) is
always read, and first. Nothing under `logs/` or `processed/` is ever read.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations, product
from urllib.parse import unquote

from schemas.keys import (
    API_PREFIX,
    ERP_PREFIX,
    OWN_OUTPUT,
    RAW_PREFIX,
    ApiKey,
    ErpKey,
    is_own_output,
    parse_key,
)
from schemas.registry import ENDPOINTS_BY_NAME, Source

KEY_TEMPLATES_MEANING = (
    "keys of a lake that exists already, read beside our own layout, separated by commas or as a "
    "JSON list: `raw/{store}/{day}/{endpoint}.json`; docs/operations.md has the placeholders"
)

_OWN = (
    f"{ERP_PREFIX}…/{{name}}.json",
    f"{API_PREFIX}{{endpoint}}/busDt={{day}}/storeId={{store}}/{{name}}.json",
)
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
_GZIP = ".gz"


class TemplateInvalid(ValueError):
    """A key template cannot be used; the message has the template, the place and the remedy."""


@dataclass(frozen=True, slots=True)
class TemplateKey:
    """What a key of a configured layout says; the document names what is None."""

    source: Source
    bus_dt: date | None
    store_id: str | None


DocumentKey = ApiKey | ErpKey | TemplateKey


@dataclass(frozen=True, slots=True)
class _Template:
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
        plain = key.removesuffix(_GZIP)
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


@dataclass(frozen=True, slots=True)
class Layout:
    """How keys of documents look: our own layout, and the configured templates."""

    templates: tuple[_Template, ...] = ()

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The prefixes of all documents' keys; none begins with another."""
        found = sorted({RAW_PREFIX, *(template.prefix for template in self.templates)})
        shortest: list[str] = []
        for prefix in found:
            if not prefix.startswith(tuple(shortest)):
                shortest.append(prefix)
        return tuple(shortest)

    @property
    def free_prefixes(self) -> tuple[str, ...]:
        """The prefixes of all documents but answers in our own layout, which lie by day."""
        found = sorted({ERP_PREFIX, *(template.prefix for template in self.templates)})
        return tuple(one for one in found if not one.startswith(tuple(set(found) - {one})))

    @property
    def expected(self) -> str:
        """All that a key may look like, for people."""
        return ", ".join((*_OWN, *(template.text for template in self.templates)))

    @property
    def samples(self) -> tuple[str, ...]:
        """A key, or the beginning and end of one, of each kind of document."""
        own = (f"{ERP_PREFIX}x.json", f"{API_PREFIX}x.json")
        keys = (*own, *(_sample(template.text) for template in self.templates))
        return tuple(f"{key.removesuffix(_GZIP)}{suffix}" for key in keys for suffix in ("", _GZIP))

    @property
    def place(self) -> str:
        """Where documents lie, for people."""
        return ", ".join(prefix or "the whole bucket" for prefix in self.prefixes)

    def read(self, key: str) -> DocumentKey | None:
        """Read what a key says about its object; None when it is no document, or ambiguous."""
        if (ours := parse_key(key)) is not None or is_own_output(key):
            return ours
        found = {template.read(key) for template in self.templates} - {None}
        return found.pop() if len(found) == 1 else None

    def day_prefixes(self, day: date) -> set[str]:
        """Return the prefixes of a day's documents, of templates whose keys sort by day."""
        return {prefix for template in self.templates for prefix in template.day_prefixes(day)}

    def covers(self, prefix: str) -> bool:
        """Say whether documents may lie under a prefix."""
        return not is_own_output(prefix) and (
            prefix.startswith(self.prefixes)
            or (prefix.endswith("/") and any(one.startswith(prefix) for one in self.prefixes))
        )

    def is_document(self, key: str) -> bool:
        """Say whether an object under this key would be loaded."""
        return self.read(key) is not None


OWN_LAYOUT = Layout()


def read_layout(setting: str | None) -> Layout:
    """Read KEY_TEMPLATES: templates separated by commas, or a JSON list of them.

    Raises:
        TemplateInvalid: One is unusable, or two read the same keys.
    """
    templates = tuple(_template(text) for text in _texts(setting or ""))
    for one, other in combinations(templates, 2):
        if _overlap(one, other):
            raise TemplateInvalid(
                f"{one.text!r} and {other.text!r} read the same keys, such as "
                f"{_sample(other.text)!r}; remove one, or tell them apart by a folder"
            )
    return Layout(templates)


def _texts(setting: str) -> list[str]:
    if not setting.lstrip().startswith("["):
        return [text.strip() for text in setting.split(",") if text.strip()]
    try:
        texts = json.loads(setting)
    except json.JSONDecodeError as error:
        raise TemplateInvalid(f"it starts with '[' but is no JSON list: {error}") from error
    if not all(isinstance(text, str) for text in texts):
        raise TemplateInvalid(f"{setting!r} must be a list of texts")
    return [text for text in texts if text]


def _template(text: str) -> _Template:
    source, key = _parts(text)
    for problem in _problems(text, key, source):
        raise TemplateInvalid(f"{text!r}: {problem}")
    return _Template(text, source, _pattern(key, ""), _pattern(key, "?"))


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
    for part in re.split(r"(\{[^{}]*\})", key.removesuffix(_GZIP)):
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


def _sample(text: str) -> str:
    return _PLACEHOLDER.sub(lambda found: _SAMPLES[found[1]], _parts(text)[1])


def _overlap(one: _Template, other: _Template) -> bool:
    """Say whether two templates may read one key: in each folder a sample of one fits the other."""
    ours, theirs = (_parts(template.text)[1].split("/") for template in (one, other))
    return len(ours) == len(theirs) and all(
        _pattern(a, "").fullmatch(_sample(b)) or _pattern(b, "").fullmatch(_sample(a))
        for a, b in zip(ours, theirs, strict=True)
    )
