"""How an answer says that it is only a part of a longer one: its paging fields.

Field names are those of common REST conventions: Oracle ORDS (`hasMore`, `links`), OData
(`@odata.nextLink`), HAL (`_links`), JSON:API (`links.next`), AWS (`NextToken`, `IsTruncated`),
Google (`nextPageToken`), Spring (`totalPages`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_FLAGS = ("hasMore", "hasMoreResults", "hasNext", "hasNextPage", "isTruncated", "moreResults")
_LINKS = ("next", "nextHref", "nextLink", "nextPage", "nextPageUrl", "nextUrl")
_TOKENS = (
    "continuation",
    "continuationToken",
    "nextContinuationToken",
    "nextCursor",
    "nextPageToken",
    "nextToken",
)
_TOTALS = ("pageCount", "totalPages")
_GROUPS = ("cursors", "links", "meta", "metadata", "page", "pageInfo", "paging", "pagination")
_RECORD_TOTALS = (
    "total", "totalCount", "totalElements", "totalItems", "totalRecords", "totalResults",
)  # fmt: skip
_OTHERS = ("count", "limit", "offset", "pageNumber", "pageSize", "perPage")


def _plain(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower().removeprefix("@odata"))


_MARKS = {
    _plain(name): kind
    for kind in (_FLAGS, _LINKS, _TOKENS, _TOTALS, _RECORD_TOTALS, _GROUPS, _OTHERS)
    for name in kind
}
#: The fields inside a group, such as `paging.next`, in their common spellings.
FIELDS_OF_GROUPS = frozenset(
    spelling
    for name in (*_FLAGS, *_LINKS, *_TOKENS, *_TOTALS, *_RECORD_TOTALS, "href", "rel")
    for spelling in (name, name[0].upper() + name[1:], re.sub("([A-Z])", r"_\1", name).lower())
)


@dataclass(frozen=True, slots=True)
class More:
    """The rest of an answer; None is what the answer does not say."""

    field: str  # that says there is more, as the answer spells it
    link: str | None = None  # URL or path of the next part
    page_count: int | None = None


def find_more(root: Mapping[str, Any]) -> More | None:
    """Return what an answer says about parts still to come; None when it is the whole."""
    found = [more for name, value in _fields(root) if (more := _more(name, value)) is not None]
    # A link tells more than a flag, and a flag more than a count.
    return max(found, key=lambda more: (bool(more.link), more.page_count is None), default=None)


def find_total(root: Mapping[str, Any]) -> int | None:
    """Return how many records the whole answer has; None if it does not say.

    A bare `total` at the root may be an amount; in a group such as `paging.total` it is a count.
    """
    totals = [
        int(value)
        for name, value in _fields(root)
        if _MARKS.get(_plain(name.rpartition(".")[2])) is _RECORD_TOTALS
        and _plain(name) != "total"
        and str(value).isdecimal()
    ]
    return max(totals, default=None)


def is_paging_field(name: str) -> bool:
    """Return whether a root field describes a part and not the document."""
    return _plain(name) in _MARKS


def _fields(root: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the root's fields and those of its groups, such as `paging.next`."""
    for name, value in root.items():
        yield name, value
        if _MARKS.get(_plain(name)) is not _GROUPS:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", child) for inner, child in value.items())
        elif isinstance(value, list):  # [{"rel": "next", "href": "…"}]
            for link in value:
                if isinstance(link, Mapping) and isinstance(link.get("rel"), str):
                    yield f"{name}.{link['rel']}", link.get("href")


def _more(name: str, value: Any) -> More | None:
    kind = _MARKS.get(_plain(name.rpartition(".")[2]))
    if kind is _FLAGS and (value is True or str(value).lower() == "true"):
        return More(name)
    if kind is _TOTALS and str(value).isdecimal() and int(value) > 1:
        return More(name, page_count=int(value))
    if kind in (_LINKS, _TOKENS) and value not in (None, "", False, {}, []):
        return More(name, _link(value) if kind is _LINKS else None)
    return None


def _link(value: Any) -> str | None:
    link = value.get("href") if isinstance(value, Mapping) else value
    return link if isinstance(link, str) and re.match(r"https?://|/|\?", link) else None
