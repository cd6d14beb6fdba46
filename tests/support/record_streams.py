"""Record streams cut into runs small enough to try every cut."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import consumer.decoding.record_stream as record_stream_module

FIELD = "guestChecks"


@contextmanager
def runs_of(size: int) -> Iterator[None]:
    """Cut runs after so many bytes, and read as few at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_stream_module, "_RUN_BYTES", size)
        yield
