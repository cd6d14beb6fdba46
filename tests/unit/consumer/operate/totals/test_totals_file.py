"""What is read from a CSV of totals, and what is refused with line, column and remedy."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from consumer.operate.totals.totals_file import Total, TotalsUnusable, read_totals

DAY = date(2024, 3, 1)
ONE = [Total(2, "001", DAY, Decimal("10.50"), Decimal(2), Decimal(3))]


def read(tmp_path: Path, data: bytes) -> list[Total]:
    path = tmp_path / "totals.csv"
    path.write_bytes(data)
    return list(read_totals(path))


@pytest.mark.parametrize(
    "data",
    [
        b"store,day,net,tax,checks\n001,2024-03-01,10.50,2,3\n",
        b"store;day;net;tax;checks\r\n001;2024-03-01;10.50;2;3\r\n",
        b"store\tday\tnet\ttax\tchecks\n001\t2024-03-01\t10.50\t2\t3",
        b"\xef\xbb\xbfChecks, Tax ,NET,Day,Store,who\n3,2, 10.50 ,2024-03-01, 001 ,me\n\n",
        b'"store","day","net","tax","checks"\n"001","2024-03-01","10.50","2","3"\n',
    ],
    ids=["plain", "semicolons and CRLF", "tabs", "BOM, other order, blanks", "quotes"],
)
def test_a_file_is_read_however_it_was_exported(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path, data) == ONE


def test_what_a_cell_does_not_tell_is_none(tmp_path: Path) -> None:
    [total] = read(tmp_path, "store,day,net,tax\nSão João,2024-03-01,,-1\n".encode())
    assert total == Total(2, "São João", DAY, None, Decimal(-1), None)


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    """Also where a cell spans two of them."""
    data = b'note,store,day,net\n"a\nb",1,2024-03-01,1\n,1,2024-03-02,x\n'
    with pytest.raises(TotalsUnusable, match="line 4, column net: 'x'"):
        read(tmp_path, data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty: its first line names the columns"),
        (b"\n1,2\n", "is empty"),
        (b"store,day,net\n", "no rows below its header"),
        (b"001,2024-03-01,10\n", "line 1: columns are .* store, day and at least one of"),
        (b"store,day\n1,2024-03-01\n", "at least one of net, tax, checks"),
        (b"store,day,net,net\n1,2024-03-01,1,1\n", "net comes twice"),
        (
            b"store,day,net\n1,2024-03-01,10,50\n",
            "line 2: 4 cells, but 3 columns; .* decimal point",
        ),
        (
            b"store;day;net\n1;2024-03-01;10,50\n",
            "line 2, column net: '10,50'; write it like 1234.5",
        ),
        (b"store,day,net\n1,2024-03-01,1e5\n", "column net"),
        (b"store,day,net\n1,2024-03-01,NaN\n", "column net"),
        (b"store,day,checks\n1,2024-03-01,1.5\n", "column checks: '1.5'; a whole number"),
        (b"store,day,net\n1,01/03/2024,1\n", "column day: '01/03/2024'; write it like 2024-03-31"),
        (b"store,day,net\n ,2024-03-01,1\n", "column store: ''; the store is missing"),
        (b'store,day,net\n1,"2024-03-01,1\n', "line 2: unexpected end of data"),
        (b"store,day,net\nS\xe3o,2024-03-01,1\n", "is not UTF-8 near line 2"),
        ("store,day,net\n".encode("utf-16"), "is UTF-16: save it as CSV in UTF-8"),
        (b"PK\x03\x04...", "a spreadsheet or a ZIP archive"),
    ],
)
def test_what_cannot_be_read_is_refused_with_where_and_why(
    tmp_path: Path, data: bytes, said: str
) -> None:
    with pytest.raises(TotalsUnusable, match=said):
        read(tmp_path, data)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TotalsUnusable, match=r"cannot read .*: No such file"):
        list(read_totals(tmp_path / "none.csv"))
