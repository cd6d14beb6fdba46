"""How the keys of a lake's documents look: our own layout, and the configured templates.

Our own layout (`schemas.keys`) is always read, and first. Nothing under `logs/` or `processed/` is
ever read.
"""

import json
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from schemas.key_templates import (
    GZIP_ENDING,
    KeyTemplate,
    TemplateInvalid,
    TemplateKey,
    overlap,
    read_template,
    sample_key,
)
from schemas.keys import (
    API_PREFIX,
    ERP_PREFIX,
    RAW_PREFIX,
    ApiKey,
    ErpKey,
    is_own_output,
    parse_key,
)

KEY_TEMPLATES_MEANING = (
    "keys of a lake that exists already, read beside our own layout, separated by commas or as a "
    "JSON list: `raw/{store}/{day}/{endpoint}.json`; docs/operations.md has the placeholders"
)

_OWN = (
    f"{ERP_PREFIX}…/{{name}}.json",
    f"{API_PREFIX}{{endpoint}}/busDt={{day}}/storeId={{store}}/{{name}}.json",
)

DocumentKey = ApiKey | ErpKey | TemplateKey


@dataclass(frozen=True, slots=True)
class Layout:
    """How keys of documents look: our own layout, and the configured templates."""

    templates: tuple[KeyTemplate, ...] = ()

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
        keys = (*own, *(sample_key(template.text) for template in self.templates))
        return tuple(
            f"{key.removesuffix(GZIP_ENDING)}{suffix}"
            for key in keys
            for suffix in ("", GZIP_ENDING)
        )

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
    templates = tuple(read_template(text) for text in _texts(setting or ""))
    for one, other in combinations(templates, 2):
        if overlap(one, other):
            raise TemplateInvalid(
                f"{one.text!r} and {other.text!r} read the same keys, such as "
                f"{sample_key(other.text)!r}; remove one, or tell them apart by a folder"
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
