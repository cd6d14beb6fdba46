"""What becomes of objects that cannot be read, by default and by ERROR_POLICY, on real servers."""

from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.conftest import Lake
from tests.support.consuming import consume, dead_lettered, depth, export, ledger, put
from tests.support.fronts import front_of
from tests.support.programs import succeed

ARCHIVED = "raw/erp/archived.json"
# As S3 answers for an object in GLACIER (S3 User Guide, "Restoring an archived object")
INVALID_STATE = """<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>InvalidObjectState</Code>
<Message>The operation is not valid for the object's storage class</Message>
<StorageClass>GLACIER</StorageClass><RequestId>1</RequestId></Error>"""


@pytest.fixture
def archive(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Give the environment of a consumer to which S3 says that an object is archived."""

    def answer(request: web.Request, _: bytes) -> web.Response | None:
        if request.method == "GET" and request.path.endswith(ARCHIVED):
            return web.Response(status=403, text=INVALID_STATE, content_type="application/xml")
        return None

    with front_of(environment["AWS_ENDPOINT_URL"], answer) as front:
        yield environment | {"AWS_ENDPOINT_URL": front.url}


def test_what_is_ignored_by_choice_has_a_ledger_row_and_no_dead_letter(
    environment: dict[str, str], lake: Lake
) -> None:
    put(lake, "raw/erp/gone.json", export())
    put(lake, "raw/elsewhere/notes.txt", b"not ours")
    lake.s3.delete_object(Bucket=lake.bucket, Key="raw/erp/gone.json")
    chosen = {"ERROR_POLICY": "object_missing=ignore,unknown_source=ignore"}
    logged = consume(environment | chosen)
    assert ledger(environment) == [
        ("raw/elsewhere/notes.txt", "ignored", "unknown_source"),
        ("raw/erp/gone.json", "ignored", "object_missing"),
    ]
    assert logged.count("failure_ignored") == 2
    assert (depth(lake, lake.queue_url), depth(lake, lake.dlq_url)) == (0, 0)
    logs = lake.s3.list_objects_v2(Bucket=lake.bucket, Prefix="logs/errors/")["Contents"]
    assert [one["Key"] for one in logs] == ["logs/errors/"]


def test_an_archived_object_is_dead_lettered_at_once_and_loads_once_it_is_restored(
    environment: dict[str, str], archive: dict[str, str], lake: Lake
) -> None:
    put(lake, ARCHIVED, export())
    put(lake, "raw/erp/good.json", export())
    consume(archive)
    assert ledger(environment) == [
        (ARCHIVED, "dead_lettered", "object_archived"),
        ("raw/erp/good.json", "loaded", None),
    ]
    assert (depth(lake, lake.queue_url), depth(lake, lake.dlq_url)) == (0, 1)
    succeed("consumer", "dlq", "replay", "--error-code", "object_archived", environment=environment)
    consume(environment)
    assert [state for _, state, _ in ledger(environment)] == ["loaded", "loaded"]
    assert dead_lettered(lake) == []


def test_the_dead_letter_of_an_archived_object_says_what_to_do(
    archive: dict[str, str], lake: Lake
) -> None:
    put(lake, ARCHIVED, export())
    consume(archive)
    [message] = dead_lettered(lake)
    reason = message["MessageAttributes"]["ErrorMessage"]["StringValue"]
    assert "restore it, then replay" in reason


def test_archived_objects_can_be_ignored_by_choice(archive: dict[str, str], lake: Lake) -> None:
    put(lake, ARCHIVED, export())
    consume(archive | {"ERROR_POLICY": "object_archived=ignore"})
    assert ledger(archive) == [(ARCHIVED, "ignored", "object_archived")]
    assert depth(lake, lake.dlq_url) == 0
