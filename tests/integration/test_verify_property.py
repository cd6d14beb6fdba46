"""Nothing is found in tables that nobody touched, whatever history they have."""

import itertools
import os
from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from consumer.ingest.prepare import Fetched, prepare
from consumer.load.document import Identity
from consumer.operate.proof.plan import Chosen
from consumer.operate.proof.verifying import Verdict, Verifying
from consumer.settings import ConsumerSettings
from schemas.keys import ERP_PREFIX, ApiKey, store_day_prefix
from tests.conftest import Lake
from tests.support.samples import ALIASES, NO_LIMIT
from tests.support.scenarios import History, Version, histories
from tests.support.warehouse import Warehouse, open_warehouse

EXAMPLES = int(os.environ.get("TRUTH_EXAMPLES", "45"))

_runs = itertools.count(1)


def put(lake: Lake, version: Version) -> Fetched:
    """Put a version into the real lake; its event tells what the history's does."""
    known = version.fetched
    name = known.identity.event.key.removeprefix("raw/").replace("/", "-")
    folder = ERP_PREFIX
    if isinstance(known.key, ApiKey):
        folder = store_day_prefix(known.source, known.key.bus_dt, known.key.store_id)
    key = folder + name
    answer = lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=known.data)
    version_id = answer["VersionId"]
    modified = lake.s3.head_object(Bucket=lake.bucket, Key=key)["LastModified"]
    event = replace(known.identity.event, bucket=lake.bucket, key=key, version_id=version_id)
    etag = answer["ETag"].strip('"')
    return replace(known, identity=Identity(event, version_id, etag, modified, modified, 1))


def deliver(warehouse: Warehouse, lake: Lake, history: History) -> None:
    objects = [put(lake, version) for version in history.versions]
    for session, numbers in history.batches:
        batch = [prepare(objects[number], ALIASES, NO_LIMIT).document for number in numbers]
        warehouse.load(*batch, session=session)


def verified(warehouse: Warehouse, own: ConsumerSettings, stores: set[str]) -> Verdict:
    verifying = Verifying(own, Chosen(frozenset(stores)), timedelta())
    warehouse.runner.run(verifying.run(lambda *_: None, lambda _: None))
    return verifying.verdict


def test_tables_that_nobody_touched_are_as_the_lake_says(
    environment: dict[str, str], lake: Lake, database: dict[str, str]
) -> None:
    """Events come in any order, several times; the lake keeps every version of an object."""
    lake.s3.put_bucket_versioning(Bucket=lake.bucket, VersioningConfiguration={"Status": "Enabled"})
    fields = {name.lower(): value for name, value in environment.items()}
    own = ConsumerSettings.model_validate(fields)

    with open_warehouse(database) as warehouse:

        @settings(
            max_examples=EXAMPLES // 4,
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(st.data())
        def holds(data: st.DataObject) -> None:
            history = data.draw(histories(f"v{next(_runs)}"))
            deliver(warehouse, lake, history)
            verdict = verified(warehouse, own, history.stores)
            assert [] == verdict.differences
            assert verdict.documents >= len({v.fetched.data for v in history.versions})

        holds()
