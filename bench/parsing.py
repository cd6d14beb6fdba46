"""From bytes to rows ready for COPY, against the fastest JSON parser.

orjson has no decimals, validates nothing and writes nothing: it is the floor of any loader that
parses in Python.
"""

from collections.abc import Sequence

import orjson

from bench.documents import Document
from bench.timing import Seconds, in_turns, timed
from consumer.ingest.prepare import prepare
from schemas.aliases import load_aliases

_REPEATS = 5
_MAX_BYTES = 1 << 30


def measure(documents: Sequence[Document]) -> tuple[Seconds, Seconds]:
    """Return what parsing, validation and writing rows take, and orjson for the same bytes."""
    fetched = [document.fetched() for document in documents]
    aliases = load_aliases()
    ours, bare = in_turns(
        (
            lambda: timed(lambda: [prepare(item, aliases, _MAX_BYTES) for item in fetched]),
            lambda: timed(lambda: [orjson.loads(document.data) for document in documents]),
        ),
        _REPEATS,
    )
    return ours, bare
