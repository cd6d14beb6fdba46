"""The pages of an answer that comes in parts: where the next one is, and how they are joined."""

import json
import re
from collections.abc import Iterator, Sequence

from yarl import URL

from producer.errors import AnswerRejected
from schemas.paging import More, is_paging_field

_SPACE = re.compile(r"[ \t\n\r]*")
# Finds where a value ends; what it decodes is thrown away.
_DECODER = json.JSONDecoder(
    object_pairs_hook=lambda _pairs: {}, parse_int=lambda _text: 0, parse_float=lambda _text: 0
)


def next_url(more: More, base_url: URL, current: URL, endpoint_path: str) -> URL:
    """Return the URL of the page after `current`.

    It keeps the origin of API_BASE_URL: behind a proxy that ends TLS, an ERP writes links with
    another scheme or port. Without a link, or with one to another host, raises AnswerRejected.
    """
    if more.link is None:
        raise AnswerRejected(
            f"the ERP answered with a part of the day ({more.field}) and does not say where the "
            "rest is; have paging switched off for this endpoint",
            ask_again=False,
        )
    if more.link.startswith(endpoint_path):  # a path of the API, whatever prefix the address has
        return URL(str(base_url).rstrip("/") + more.link)
    url = current.join(URL(more.link))
    if url.host != base_url.host:
        raise AnswerRejected(
            f"the next page of the ERP's answer ({more.field}) is on another host; correct "
            "API_BASE_URL, or have paging switched off for this endpoint",
            ask_again=False,
        )
    return base_url.join(url.relative())


def join_pages(pages: Sequence[bytes]) -> bytes:
    """Join the pages of an answer, whose values keep their text; needs a list. CPU-bound."""
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for page in pages:
        for name, value in _fields(page.decode("utf-8-sig")):
            if is_paging_field(name):
                continue
            values.setdefault(name, value)
            if value.startswith("["):
                records = value[1:-1].strip()
                lists.setdefault(name, []).extend([records] if records else [])
    if not lists:
        raise AnswerRejected("the ERP answered in pages without a list")
    values |= {name: f"[{','.join(records)}]" for name, records in lists.items()}
    joined = ",".join(f"{json.dumps(name)}:{text}" for name, text in values.items())
    return f"{{{joined}}}".encode()


def _fields(text: str) -> Iterator[tuple[str, str]]:
    place = text.index("{") + 1
    while text[place := _after_space(text, place)] != "}":
        name, place = _DECODER.raw_decode(text, place)
        start = _after_space(text, _after_space(text, place) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, text[start:end]
        place = _after_space(text, end)
        place += text[place] == ","


def _after_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
