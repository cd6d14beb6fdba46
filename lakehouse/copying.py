"""What COPY sends, in pieces of many rows.

The server sends each row as a message of its own, and psycopg's `Copy` waits for each as if it were
the last: that was half of an export's cost. Rows that are here already are taken without waiting.
"""

from collections.abc import Iterator
from typing import Any

from psycopg import Copy, errors
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait


def copied_pieces(copy: Copy, size_bytes: int) -> Iterator[bytearray]:
    """Give whole rows until there are no more, in pieces of at least `size_bytes` but the last.

    Whoever leaves early leaves the block of `copy` by its exception, which cancels the rest.

    Raises:
        psycopg.Error: the query failed.
    """
    connection: PGconn = copy.connection.pgconn
    piece = bytearray()
    while (size := (found := connection.get_copy_data(1))[0]) >= 0:
        if size == 0:
            copy.connection.wait(_more(connection))
            continue
        piece += found[1]
        if len(piece) >= size_bytes:
            yield piece
            piece = bytearray()
    _check_end(connection)
    if piece:
        yield piece


def _more(connection: PGconn) -> PQGen[None]:
    """Wait for the server, so that a signal is heard meanwhile."""
    while not (yield Wait.R):
        continue
    connection.consume_input()


def _check_end(connection: PGconn) -> None:
    """Take what follows the last row: whether all went well."""
    results: list[Any] = []
    while (result := connection.get_result()) is not None:
        results.append(result)
    if results and results[0].status != ExecStatus.COMMAND_OK:
        raise errors.error_from_result(results[0])
