"""Documents that no ERP would send on purpose, and how each must end, however it is read."""

import codecs

from schemas.codes import ErrorCode as Code

GOOD = '{"guestCheckId": 1, "lastUpdatedUTC": "2024-01-01T10:00:00", "gstCnt": 1}'
DEEP = "[" * 100 + "]" * 100
ABSURDLY_DEEP = "[" * 5000 + "]" * 5000

# How a document ends: refused as a whole, or the codes of the records that are set aside.
Ending = Code | tuple[Code, ...]


def export(*records: str, root: str = "") -> str:
    """Write an export of checks; the last one is good."""
    return f'{{"locRef": "S", {root}"guestChecks": [{", ".join((*records, GOOD))}]}}'


def check(fields: str) -> str:
    """Write an export of a check with these fields and a good one."""
    return export(f'{{"guestCheckId": 2, "lastUpdatedUTC": "2024-01-01T10:00:00", {fields}}}')


BAD, AMBIGUOUS = (Code.SCHEMA_INVALID,), (Code.AMBIGUOUS_FIELD,)
_DOCUMENTS: dict[str, tuple[str | bytes, Ending]] = {
    "good": (export(), ()),
    "byte order mark": (codecs.BOM_UTF8 + export().encode(), ()),
    "a hundred levels": (check(f'"new": {DEEP}'), ()),
    "a string of a megabyte": (check(f'"tblName": "{"x" * 1_000_000}"'), ()),
    "1e99999 among unknown": (check('"new": [1e99999]'), ()),
    "numbers beyond numeric among unknown": (check('"new": [1e999999, 1e-999999]'), ()),
    "1e999999 beside the records": (export(root='"new": 1e999999, '), ()),
    "28 digits before the point and 10 after it": (
        check(f'"subTtl": -{"9" * 28}.{"9" * 10}, "chkTtl": "1e27"'),
        (),
    ),
    "29 digits before the point": (check(f'"subTtl": {"9" * 29}'), BAD),
    "29 digits before the point, in quotes": (check(f'"subTtl": "{"9" * 29}"'), BAD),
    "29 digits before the point and some after it": (check(f'"subTtl": -{"9" * 29}.5'), BAD),
    "11 digits after the point": (check(f'"subTtl": 0.{"9" * 11}'), BAD),
    "11 digits after the point, in quotes": (check(f'"subTtl": "0.{"9" * 11}"'), BAD),
    "1e99999": (check('"subTtl": 1e99999'), BAD),
    "1e99999 in quotes": (check('"subTtl": "1e99999"'), BAD),
    "1e28": (check('"subTtl": 1E28'), BAD),
    "1e-11": (check('"subTtl": 1e-11'), BAD),
    "0e99999": (check('"subTtl": 0e99999'), BAD),
    "beyond int64 where any number may stand": (check('"subTtl": 9223372036854775808'), ()),
    "empty list": ('{"locRef": "S", "guestChecks": []}', ()),
    "null list": ('{"locRef": "S", "guestChecks": null}', ()),
    "records beside an error": (export(root='"error": "some stores are late", '), ()),
    "empty list and a status that is none of an error": (
        '{"locRef": "S", "status": 200, "guestChecks": []}',
        (),
    ),
    "equal keys twice": (check('"gstCnt": 2, "gstCnt": 2'), ()),
    "the store under both names": (export(root='"storeId": "S", '), ()),
    "NUL": (check(r'"tblName": "a\u0000b"'), BAD),
    "NUL in a name": (check(r'"a\u0000": 1'), BAD),
    "lone surrogate": (check(r'"tblName": "\ud800"'), BAD),
    "lone surrogate in a name": (check(r'"\udfff": 1'), BAD),
    "NaN": (check('"subTtl": NaN'), BAD),
    "Infinity": (check('"subTtl": -Infinity'), BAD),
    "NaN among unknown": (check('"new": [NaN]'), BAD),
    "int64 and one more": (check('"gstCnt": 9223372036854775808'), BAD),
    "less than int64": (check('"gstCnt": -9223372036854775809'), BAD),
    "1e999 for an integer": (check('"gstCnt": 1e999'), BAD),
    "a fraction for an integer": (check('"gstCnt": 1.5'), BAD),
    "no such day": (check('"opnBusDt": "2024-02-30"'), BAD),
    "no such time": (check('"opnUTC": "2024-02-30T10:00:00"'), BAD),
    "object for text": (check('"tblName": {}'), ()),
    "list for flag": (check('"clsdFlag": []'), BAD),
    "text for taxes": (check('"taxes": "none"'), BAD),
    "number for lines": (check('"detailLines": 7'), BAD),
    "a line without an id": (check('"detailLines": [{"dspTtl": 1}]'), BAD),
    "a tax without a number": (check('"taxes": [{"taxRate": 21}]'), BAD),
    "text for a sub-object": (
        check('"detailLines": [{"guestCheckLineItemId": 1, "menuItem": "6042"}]'),
        (),
    ),
    "no objects": (export("null", "[]", "7", '"text"', "true"), BAD * 5),
    "no id": (export("{}", '{"guestCheckId": null}'), BAD * 2),
    "an id of a megabyte": (export(f'{{"guestCheckId": "{"9" * 1_000_000}"}}'), BAD),
    "keys twice": (check('"gstCnt": 2, "gstCnt": 3'), AMBIGUOUS),
    "ids twice": (export('{"guestCheckId": 2, "guestCheckId": 3}'), AMBIGUOUS),
    "two names of taxes": (
        check('"taxes": [{"taxNum": 1}], "taxation": [{"taxNum": 2}]'),
        AMBIGUOUS,
    ),
    "nulls": (export(*["null"] * 1500), BAD * 1500),
    "empty": (b"", Code.JSON_MALFORMED),
    "blank": (b" \n\t", Code.JSON_MALFORMED),
    "cut off": (export()[:60], Code.JSON_MALFORMED),
    "cut off behind a record": (f'{{"locRef": "S", "guestChecks": [{GOOD}', Code.JSON_MALFORMED),
    "trailing comma": (f'{{"locRef": "S", "guestChecks": [{GOOD},]}}', Code.JSON_MALFORMED),
    "two documents": (export() + export(), Code.JSON_MALFORMED),
    "raw NUL": (check('"tblName": "a\0b"'), Code.JSON_MALFORMED),
    "web page": (b"<html><body>504 Gateway Time-out</body></html>", Code.JSON_MALFORMED),
    "absurdly deep": (check(f'"new": {ABSURDLY_DEEP}'), Code.JSON_MALFORMED),
    "absurdly deep beside the records": (
        export(root=f'"new": {ABSURDLY_DEEP}, '),
        Code.JSON_MALFORMED,
    ),
    "absurdly deep alone": (ABSURDLY_DEEP, Code.JSON_MALFORMED),
    "UTF-16": (export().encode("utf-16"), Code.ENCODING_INVALID),
    "latin-1": (check('"tblName": "São"').encode("latin-1"), Code.ENCODING_INVALID),
    "latin-1 beside the records": (
        export(root='"name": "São", ').encode("latin-1"),
        Code.ENCODING_INVALID,
    ),
    "encoded surrogate": (b'{"locRef": "\xed\xa0\x80", "guestChecks": []}', Code.ENCODING_INVALID),
    "null": (b"null", Code.SCHEMA_INVALID),
    "number": (b"7", Code.SCHEMA_INVALID),
    "list": (f"[{export()}]", Code.SCHEMA_INVALID),
    "list of a million nulls": ("[" + "null, " * 999_999 + "null]", Code.SCHEMA_INVALID),
    "no fields": (b"{}", Code.SCHEMA_INVALID),
    "another's list": ('{"locRef": "S", "transactions": [{"amount": 1}]}', Code.SCHEMA_INVALID),
    "object for the list": ('{"locRef": "S", "guestChecks": {"a": [1]}}', Code.SCHEMA_INVALID),
    "text for the list": ('{"locRef": "S", "guestChecks": "none"}', Code.SCHEMA_INVALID),
    "one level too deep": (f'{{"data": {export()}}}', Code.SCHEMA_INVALID),
    "no store": (f'{{"guestChecks": [{GOOD}]}}', Code.SCHEMA_INVALID),
    "object for the store": (f'{{"locRef": {{}}, "guestChecks": [{GOOD}]}}', Code.SCHEMA_INVALID),
    "no such time as of": (export(root='"curUTC": "2024-02-30T00:00:00", '), Code.SCHEMA_INVALID),
    "NUL beside the records": (export(root=r'"new": "\u0000", '), Code.SCHEMA_INVALID),
    "NaN beside the records": (export(root='"new": NaN, '), Code.SCHEMA_INVALID),
    "problem body": (
        '{"type": "about:blank", "title": "Too many requests", "status": 429, "detail": "later"}',
        Code.SCHEMA_INVALID,
    ),
    "problem body with an empty list": (
        '{"locRef": "S", "title": "Oops", "status": 500, "guestChecks": []}',
        Code.SCHEMA_INVALID,
    ),
    "only an error's status": (
        '{"locRef": "S", "status": 500, "guestChecks": []}',
        Code.SCHEMA_INVALID,
    ),
    "a fault": ('{"locRef": "S", "fault": {"code": 1}, "guestChecks": []}', Code.SCHEMA_INVALID),
    "error body": ('{"error": "unauthorised"}', Code.SCHEMA_INVALID),
    "error body with store and list": (
        '{"locRef": "S", "errors": ["down"], "guestChecks": null}',
        Code.SCHEMA_INVALID,
    ),
    "the first page": (export(root='"hasMore": true, '), Code.SCHEMA_INVALID),
    "a page that says so at its end": (
        export()[:-1] + ', "paging": {"next": "/2"}}',
        Code.SCHEMA_INVALID,
    ),
    "the only page": (export(root='"hasMore": false, "next": null, "totalPages": 1, '), ()),
    "two stores": (export(root='"storeId": "T", '), Code.AMBIGUOUS_FIELD),
    "the store twice": (export(root='"locRef": "T", '), Code.AMBIGUOUS_FIELD),
    "two lists": (export()[:-1] + ', "guestChecks": [7]}', Code.AMBIGUOUS_FIELD),
    "null and a list": (export(root='"guestChecks": null, '), Code.AMBIGUOUS_FIELD),
}

DOCUMENTS = {
    name: (text.encode() if isinstance(text, str) else text, ending)
    for name, (text, ending) in _DOCUMENTS.items()
}
