"""Cuts a huge document into its frame and runs of records, holding one run at a time.

Only brackets outside of strings are looked at; whether the pieces are JSON is for the parser to
say, which gets every byte of the document.
"""

import json
import re
from collections.abc import Collection, Iterator
from hashlib import blake2b

from consumer.decoding.gunzip import PlainReader
from consumer.decoding.parse import malformed
from consumer.errors import Permanent
from schemas.codes import ErrorCode

_RUN_BYTES = 1 << 20
# Possessive: a long stretch without a bracket is read once, not again from every place in it.
_NEXT_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+([{}\[\]])', re.DOTALL)
# Only the end of a long document is looked at, where a quote may be an escaped one.
_KEY_BEFORE_LIST = re.compile(rb'(?<!\\)"((?:[^"\\]|\\.)*+)"\s*+:\s*+\[\Z', re.DOTALL)
_KEY_BYTES = 1000
_COMMA = re.compile(rb"\s*,")
_OPENING = frozenset(b"{[")
_OPEN_LIST = ord("[")


class RecordStream:
    """Splits one document, whose records may be in one of several root fields.

    Iterating yields runs of records, each the bytes of a JSON list; afterwards `frame` is the
    rest of the document. Where a list had records it has a list of one text, the digest of their
    bytes, so that the frame alone tells whether two lists are there and differ. Only the first of
    them is yielded; `digest` is its digest, or None when there are no records. No record, and no
    frame, may have more than `max_run_bytes`.
    """

    def __init__(self, file: PlainReader, fields: Collection[str], max_run_bytes: int) -> None:
        self._file = file
        self._fields = frozenset(fields)
        self._max_run_bytes = max_run_bytes
        self._buffer = b""
        self._taken = 0  # everything before it was handed out
        self._scanned = 0  # everything before it was looked at
        self._frame: list[bytes] = []
        self.digest: str | None = None

    @property
    def frame(self) -> bytes:
        """Everything but the records; complete once the runs were iterated."""
        return b"".join(self._frame)

    def __iter__(self) -> Iterator[bytes]:
        depth = 0
        while (bracket := self._next_bracket()) is not None:
            if bracket not in _OPENING:
                depth -= 1
            elif depth == 1 and bracket == _OPEN_LIST and self._opens_records():
                self._frame.append(self._take(self._scanned))
                yield from self._records()
            else:
                depth += 1
        self._frame.append(self._take(len(self._buffer)))

    def _opens_records(self) -> bool:
        start = max(0, self._scanned - _KEY_BYTES)
        key = _KEY_BEFORE_LIST.search(self._buffer, start, self._scanned)
        return key is not None and _unescaped(key[1]) in self._fields

    def _records(self) -> Iterator[bytes]:
        """Yield the list that was just opened, unless another one had records before."""
        is_first = self.digest is None
        digest, is_empty = blake2b(digest_size=16), True
        for run in self._runs():
            digest.update(run)
            if run[1:-1].strip():
                is_empty = False
                if is_first:
                    yield run
        if not is_empty:
            self.digest = self.digest or digest.hexdigest()
            self._frame.append(json.dumps(digest.hexdigest()).encode())

    def _runs(self) -> Iterator[bytes]:
        """Yield the content of the list that was just opened; its closing bracket stays."""
        depth, first = 0, True
        while (bracket := self._next_bracket()) is not None:
            if bracket in _OPENING:
                depth += 1
                continue
            depth -= 1
            if depth < 0:
                self._scanned -= 1
                yield self._run(first=first, last=True)
                self._scanned += 1
                return
            if depth == 0 and self._scanned - self._taken >= _RUN_BYTES:
                yield self._run(first=first, last=False)
                first = False

    def _run(self, *, first: bool, last: bool) -> bytes:
        run = self._take(self._scanned)
        if not first:
            comma = _COMMA.match(run)
            if comma is None and run.strip():
                raise malformed("a comma is missing between two records")
            run = run[comma.end() :] if comma else run
            if comma and last and not run.strip():
                raise malformed("a comma follows the last record")
        return b"[" + run + b"]"

    def _next_bracket(self) -> int | None:
        """Move past the next bracket outside of a string; None at the document's end."""
        while True:
            match = _NEXT_BRACKET.match(self._buffer, self._scanned)
            if match:
                self._scanned = match.end()
                return self._buffer[match.end() - 1]
            if not self._read():
                return None

    def _read(self) -> bool:
        kept = self._buffer[self._taken :]
        if len(kept) > self._max_run_bytes:
            raise Permanent(
                ErrorCode.OBJECT_TOO_LARGE,
                f"more than {self._max_run_bytes} bytes without the end of a record; split it",
            )
        # Reading as much as is held keeps a long search from starting over too often.
        chunk = self._file.read(max(_RUN_BYTES, len(kept)))
        self._buffer = kept + chunk
        self._scanned -= self._taken
        self._taken = 0
        return bool(chunk)

    def _take(self, end: int) -> bytes:
        taken = self._buffer[self._taken : end]
        self._taken = end
        return taken


def _unescaped(name: bytes) -> str | None:
    try:
        return str(json.loads(b'"' + name + b'"'))
    except ValueError:
        return None
