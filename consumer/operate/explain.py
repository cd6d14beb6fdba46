"""`consumer explain`: what the consumer would do with a message body. Touches nothing."""

import sys
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from consumer.errors import Permanent
from consumer.ingest.routing import route
from consumer.policy import Policy
from consumer.settings import RoutingSettings
from runtime import terminal
from schemas.codes import ErrorCode
from schemas.envelopes import EventMalformed, Ignored, ObjectEvent, decode_body
from schemas.layouts import OWN_LAYOUT, DocumentKey, Layout
from schemas.registry import Source

Route = Callable[[ObjectEvent], tuple[Source, DocumentKey]]


def explain_command(
    file: Annotated[
        Path | None, typer.Argument(help="File with a message body. Default: stdin.", exists=True)
    ] = None,
) -> None:
    """Print what would be done with an SQS message body, without doing it."""
    try:
        body = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        terminal.fail(f"cannot read the message body: {error}")
    settings = terminal.settings_of(RoutingSettings)
    own = settings.bucket_name
    buckets = (own, *settings.other_bucket_names) if own else ()
    limit, policy, layout = settings.max_object_bytes, settings.policy, settings.layout
    decision = explain(body, buckets, limit, policy, layout)
    terminal.print_json(decision, indent=2)


def explain(
    body: str,
    buckets: Collection[str],
    max_object_bytes: int,
    policy: Policy,
    layout: Layout = OWN_LAYOUT,
) -> dict[str, Any]:
    """Return the decision for each record of a message body, ready for JSON.

    Without `buckets`, any bucket is taken for a served one.
    """

    def routed(event: ObjectEvent) -> tuple[Source, DocumentKey]:
        return route(event, buckets or (event.bucket,), max_object_bytes, layout)

    try:
        announced = decode_body(body)
    except EventMalformed as error:
        return _refused(Permanent(ErrorCode.EVENT_MALFORMED, str(error)), policy)
    records = [_record(item, routed, policy) for item in announced]
    decisions = {record["decision"] for record in records}
    decision = decisions.pop() if len(decisions) == 1 else "each_its_own"
    return {"decision": decision, "records": records}


def _record(item: ObjectEvent | Ignored, route_of: Route, policy: Policy) -> dict[str, Any]:
    described = asdict(item)
    if isinstance(item, Ignored):
        return {"decision": "ignore"} | described
    del described["event_name"]
    try:
        source, key = route_of(item)
    except Permanent as error:
        return _refused(error, policy) | described
    identity = {"store_id": key.store_id, "bus_dt": key.bus_dt}
    named = {name: value for name, value in identity.items() if value is not None}
    return {"decision": "load", "source": source} | named | described


def _refused(error: Permanent, policy: Policy) -> dict[str, Any]:
    return {"decision": policy.reaction(error), "error_code": error.code, "error": str(error)}
