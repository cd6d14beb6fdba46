"""Checks of how the bucket announces its objects on the queue. Pure.

The forms are Amazon's: S3 API Reference, NotificationConfiguration; IAM User Guide, policy grammar.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from consumer.operate.doctor.checks.queues import parsed
from consumer.operate.doctor.facts import LakeFacts, QueueFacts, Unknown
from consumer.operate.doctor.findings import Finding, fine, not_checked, problem, warning
from schemas.keys import API_PREFIX, ERP_PREFIX, ERRORS_PREFIX

_CREATED = "s3:ObjectCreated:"
_WAYS = tuple(_CREATED + way for way in ("Put", "Post", "Copy", "CompleteMultipartUpload"))
_DOCUMENTS = tuple(
    f"{prefix}x{suffix}" for prefix in (ERP_PREFIX, API_PREFIX) for suffix in (".json", ".json.gz")
)
_HOOK = "localstack-init/ready.d/10_lake_and_queues.py shows the whole set-up"
_CHECK = "notification"


def check_announcing(
    lake: LakeFacts | Unknown,
    main: QueueFacts | Unknown,
    bucket: str,
    events: Literal["bucket", "publish"],
) -> Iterator[Finding]:
    """Check that the bucket announces what is to be loaded, and that the queue takes it.

    Args:
        lake: The bucket.
        main: The queue.
        bucket: The bucket's name.
        events: Who announces: the bucket, or the producer (EVENTS=publish).
    """
    if isinstance(lake, Unknown) or isinstance(main, Unknown):
        yield not_checked(_CHECK, "bucket or queue could not be asked", "see above")
        return
    if isinstance(lake.notification, Unknown):
        yield not_checked(_CHECK, lake.notification.reason, lake.notification.remedy)
        return
    found = lake.notification
    direct = [one for one in found.get("QueueConfigurations", []) if one["QueueArn"] == main.arn]
    if events == "publish":
        yield _published(direct)
    elif direct:
        yield from _direct(direct, main)
        yield _policy(main, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}")
    else:
        yield from _indirect(found, main, bucket)


def _published(direct: Sequence[Mapping[str, Any]]) -> Finding:
    if direct:
        return warning(
            _CHECK,
            "EVENTS=publish, and the bucket announces too: everything is announced twice",
            "unset EVENTS for the producer",
        )
    return fine(_CHECK, "the producer announces (EVENTS=publish)")


def _direct(direct: Sequence[Mapping[str, Any]], main: QueueFacts) -> Iterator[Finding]:
    unheard = [key for key in _DOCUMENTS if not _events(direct, key)]
    partly = {way for key in _DOCUMENTS for way in _missing(_events(direct, key))}
    if unheard:
        yield problem(
            _CHECK,
            f"its filters leave out {', '.join(unheard)}",
            f"announce the prefix raw/, without a suffix, on {main.arn}; {_HOOK}",
        )
    elif partly:
        yield problem(
            _CHECK,
            f"objects are not announced when written by {', '.join(sorted(partly))}",
            f"announce {_CREATED}* (large uploads end with CompleteMultipartUpload); {_HOOK}",
        )
    if _events(direct, f"{ERRORS_PREFIX}x.json"):
        yield problem(
            _CHECK,
            "error logs are announced too: each would be dead-lettered and logged again, for ever",
            f"set the notification's prefix to raw/; {_HOOK}",
        )
    elif not unheard and not partly:
        yield fine(_CHECK, f"new objects under raw/ are announced on {main.arn}")


def _indirect(found: Mapping[str, Any], main: QueueFacts, bucket: str) -> Iterator[Finding]:
    topics = [one["TopicArn"] for one in found.get("TopicConfigurations", [])]
    others = [one["QueueArn"] for one in found.get("QueueConfigurations", [])]
    if topics:
        yield warning(
            _CHECK,
            f"the bucket announces on {', '.join(topics)}; what that passes on cannot be seen here",
            f"make sure that {main.arn} is subscribed to it",
        )
        yield _policy(main, "sns.amazonaws.com", topics[0])
    elif found.get("EventBridgeConfiguration") is not None:
        yield warning(
            _CHECK,
            "the bucket announces on EventBridge; its rules cannot be seen here",
            f"make sure that a rule sends Object Created events of {bucket} to {main.arn}",
        )
        yield _policy(main, "events.amazonaws.com", None)
    else:
        elsewhere = f", only to {', '.join(others)}" if others else ""
        yield problem(
            _CHECK,
            f"the bucket announces nothing on {main.arn}{elsewhere}",
            f"announce {_CREATED}* with the prefix raw/ on it ({_HOOK}), or set EVENTS=publish "
            "for the producer",
        )


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


def _missing(events: set[str]) -> set[str]:
    return set() if f"{_CREATED}*" in events else set(_WAYS) - events


def _policy(main: QueueFacts, service: str, source_arn: str | None) -> Finding:
    """Check that a service may send; `source_arn` is on whose behalf, if that is known."""
    check = "queue policy"
    statements = parsed(main.attributes.get("Policy")).get("Statement", [])
    concerned = [
        one
        for one in (statements if isinstance(statements, list) else [statements])
        if _concerns(one, main.arn, service, source_arn)
    ]
    if any(one.get("Effect") == "Deny" for one in concerned):
        return problem(
            check, f"it denies {service} to send", "remove the Deny statement from the policy"
        )
    if not concerned:
        on_behalf = f" on behalf of {source_arn}" if source_arn else ""
        return problem(
            check,
            f"it does not let {service} send{on_behalf}: what is announced is lost",
            f"allow {service} sqs:SendMessage on {main.arn}, with ArnEquals aws:SourceArn; {_HOOK}",
        )
    return fine(check, f"{service} may send")


def _concerns(statement: Mapping[str, Any], arn: str, service: str, source_arn: str | None) -> bool:
    principal = statement.get("Principal", "")
    services = principal.get("Service", []) if isinstance(principal, dict) else principal
    if isinstance(principal, dict) and principal.get("AWS") == "*":
        services = "*"
    return (
        any(one in ("*", service) for one in _listed(services))
        and any(_like("sqs:sendmessage", one.lower()) for one in _listed(statement.get("Action")))
        and any(_like(arn, one) for one in _listed(statement.get("Resource")))
        and _holds(statement.get("Condition", {}), source_arn)
    )


def _holds(conditions: Mapping[str, Any], source_arn: str | None) -> bool:
    """Say whether conditions on the source hold; others, such as accounts, are believed."""
    if source_arn is None:
        return True
    wanted = [
        pattern
        for operator, keys in conditions.items()
        if operator.lower().removesuffix("ifexists") in _SOURCE_OPERATORS
        for name, patterns in keys.items()
        if name.lower() == "aws:sourcearn"
        for pattern in _listed(patterns)
    ]
    return not wanted or any(_like(source_arn, pattern) for pattern in wanted)


_SOURCE_OPERATORS = ("arnequals", "arnlike", "stringequals", "stringlike")


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern)


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]
