"""How the bucket announces its objects on the queue.

The forms are Amazon's: S3 API Reference, NotificationConfiguration; IAM User Guide, policy grammar.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic_settings import BaseSettings

from consumer.operate.doctor.aws import HOOK
from consumer.operate.doctor.findings import Finding, Unknown, fine, not_checked, problem, warning
from consumer.operate.doctor.lake import LakeFacts
from consumer.operate.doctor.queues import QueueFacts
from consumer.settings import LakeSettings
from runtime.aws_clients import notification_command
from schemas.keys import ERRORS_PREFIX
from schemas.layouts import OWN_LAYOUT, Layout

_CREATED = "s3:ObjectCreated:"
_WAYS = {_CREATED + way for way in ("Put", "Post", "Copy", "CompleteMultipartUpload")}
_CHECK = "notification"
_SOURCE_OPERATORS = ("arnequals", "arnlike", "stringequals", "stringlike")


class AnnouncingSettings(BaseSettings):
    """The producer's setting that decides who announces."""

    model_config = LakeSettings.model_config

    events: Literal["bucket", "publish"] = "bucket"


def check_announcing(
    lake: LakeFacts | Unknown,
    main: QueueFacts | Unknown,
    bucket: str,
    events: str,
    layout: Layout = OWN_LAYOUT,
) -> Iterator[Finding]:
    """Check that bucket or producer, as `events` says, announces what the queue then takes."""
    if isinstance(lake, Unknown) or isinstance(main, Unknown):
        yield not_checked(_CHECK, "bucket or queue could not be asked", "see above")
        return
    if lake.notification is None:
        return  # the role has no need to look at it
    if isinstance(lake.notification, Unknown):
        yield not_checked(_CHECK, lake.notification.reason, lake.notification.remedy)
        return
    found = lake.notification
    direct = [one for one in found.get("QueueConfigurations", []) if one["QueueArn"] == main.arn]
    if direct and events == "publish":
        twice = "EVENTS=publish, and the bucket announces too: everything is announced twice"
        yield warning(_CHECK, twice, "unset EVENTS for the producer")
    elif events == "publish":
        yield fine(_CHECK, "the producer announces (EVENTS=publish)")
    elif direct:
        yield from _direct(direct, main, bucket, layout)
        yield _policy(main, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}")
    else:
        yield from _indirect(found, main, bucket, layout)


def _direct(
    direct: Sequence[Mapping[str, Any]], main: QueueFacts, bucket: str, layout: Layout
) -> Iterator[Finding]:
    announced = [_events(direct, key) for key in layout.samples]
    unheard = [key for key, events in zip(layout.samples, announced, strict=True) if not events]
    partly = {way for events in announced if f"{_CREATED}*" not in events for way in _WAYS - events}
    is_logging = bool(_events(direct, f"{ERRORS_PREFIX}x.json"))
    if unheard:
        found = f"its filters leave out {', '.join(unheard)}"
        command = notification_command(bucket, main.arn, layout.prefixes)
        remedy = f"announce {layout.place}, without a suffix; alone, without other targets:"
        yield problem(_CHECK, found, f"{remedy}\n{command}")
    elif partly:
        found = f"objects are not announced when written by {', '.join(sorted(partly))}"
        remedy = f"announce {_CREATED}* (large uploads end with CompleteMultipartUpload); {HOOK}"
        yield problem(_CHECK, found, remedy)
    if is_logging:
        remedy = f"let the notification announce {layout.place} only; {HOOK}"
        yield warning(_CHECK, "error logs are announced too, and ignored", remedy)
    elif not unheard and not partly:
        yield fine(_CHECK, f"new objects under {layout.place} are announced on {main.arn}")


def _indirect(
    ways: Mapping[str, Any], main: QueueFacts, bucket: str, layout: Layout
) -> Iterator[Finding]:
    topics = [one["TopicArn"] for one in ways.get("TopicConfigurations", [])]
    others = [one["QueueArn"] for one in ways.get("QueueConfigurations", [])]
    if topics:
        found = f"the bucket announces on {', '.join(topics)}; what is subscribed cannot be seen"
        yield warning(_CHECK, found, f"make sure that {main.arn} is subscribed to it")
        yield _policy(main, "sns.amazonaws.com", topics[0])
    elif ways.get("EventBridgeConfiguration") is not None:
        found = "the bucket announces on EventBridge; its rules cannot be seen here"
        remedy = f"make sure that a rule sends Object Created events of {bucket} to {main.arn}"
        yield warning(_CHECK, found, remedy)
        yield _policy(main, "events.amazonaws.com", None)
    else:
        elsewhere = f", only to {', '.join(others)}" if others else ""
        found = f"the bucket announces nothing on {main.arn}{elsewhere}"
        command = notification_command(bucket, main.arn, layout.prefixes)
        remedy = f"set the producer's EVENTS=publish, or announce {layout.place} again:"
        yield problem(_CHECK, found, f"{remedy}\n{command}")


def _events(direct: Sequence[Mapping[str, Any]], key: str) -> set[str]:
    return {event for one in direct if _passes(one, key) for event in one["Events"]}


def _passes(configuration: Mapping[str, Any], key: str) -> bool:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return all(
        key.startswith(rule["Value"])
        if rule["Name"].lower() == "prefix"
        else key.endswith(rule["Value"])
        for rule in rules
    )


def _policy(main: QueueFacts, service: str, source_arn: str | None) -> Finding:
    """Check that a service may send; `source_arn` is on whose behalf, if that is known."""
    check = "queue policy"
    effects = [
        one.get("Effect")
        for one in _listed(main.policy("Policy").get("Statement"))
        if _concerns(one, main.arn, service, source_arn)
    ]
    if "Deny" in effects:
        remedy = "remove the Deny statement from the policy"
        return problem(check, f"it denies {service} to send", remedy)
    if not effects:
        on_behalf = f" on behalf of {source_arn}" if source_arn else ""
        found = f"it does not let {service} send{on_behalf}: what is announced is lost"
        wanted = f"sqs:SendMessage on {main.arn}, with ArnEquals aws:SourceArn"
        return problem(check, found, f"allow {service} {wanted}; {HOOK}")
    return fine(check, f"{service} may send")


def _concerns(statement: Mapping[str, Any], arn: str, service: str, source_arn: str | None) -> bool:
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        principal = {"AWS": principal}
    who = [*_listed(principal.get("AWS")), *_listed(principal.get("Service"))]
    actions = [action.lower() for action in _listed(statement.get("Action"))]
    return (
        not {"*", service}.isdisjoint(who)
        and _is_like("sqs:sendmessage", actions)
        and _is_like(arn, statement.get("Resource"))
        and _holds(statement.get("Condition", {}), source_arn)
    )


def _holds(conditions: Mapping[str, Any], source_arn: str | None) -> bool:
    """Say whether conditions on the source hold; others, such as accounts, are believed."""
    wanted = [
        pattern
        for operator, keys in conditions.items()
        if operator.lower().removesuffix("ifexists") in _SOURCE_OPERATORS
        for name, patterns in keys.items()
        if name.lower() == "aws:sourcearn"
        for pattern in _listed(patterns)
    ]
    return source_arn is None or not wanted or _is_like(source_arn, wanted)


def _is_like(value: str, patterns: Any) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in _listed(patterns))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
