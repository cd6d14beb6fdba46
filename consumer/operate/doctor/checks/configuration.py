"""Checks of the settings themselves, and of the machine they hold for. Pure."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from consumer.memory import needed_bytes
from consumer.operate.doctor.facts import HostFacts, Unknown
from consumer.operate.doctor.findings import Finding, fine, not_checked, problem, warning
from consumer.settings import ConsumerSettings

_ECS_STOP_SECONDS = 30  # Amazon ECS, stopTimeout: what a task has unless it asks for more
_SHORT_POLL_SECONDS = 5
_AWS_DOMAIN = ".amazonaws.com"


def check_configuration(settings: ConsumerSettings) -> Iterator[Finding]:
    """Check what settings say about each other."""
    yield _stopping(settings)
    yield _polling(settings)
    yield _addresses(settings)
    yield _credentials(settings)


def check_aliases(path: str | None, error: str | None) -> Finding:
    """Check the file of renamed fields; `error` says why it cannot be used."""
    check = "aliases"
    if error is not None:
        remedy = "correct SCHEMA_ALIASES_FILE, or unset it; docs/operations.md shows one"
        return problem(check, error, remedy)
    return fine(check, f"{path} is usable" if path else "only the shipped ones")


def check_host(settings: ConsumerSettings, host: HostFacts | Unknown) -> Iterator[Finding]:
    """Check the health port and the room for large documents."""
    if isinstance(host, Unknown):
        yield not_checked("health port", host.reason, host.remedy)
        return
    yield _port(settings, host)
    yield _memory(settings, host)
    yield _temporary_files(settings, host)


def _memory(settings: ConsumerSettings, host: HostFacts) -> Finding:
    check, budget = "memory", settings.byte_budget_bytes
    needed = needed_bytes(budget)
    found = f"a byte budget of {_megabytes(budget)} may need {_megabytes(needed)} in all"
    if host.memory_bytes is None:
        return fine(check, f"{found}; there is no limit")
    if host.memory_bytes < needed:
        return warning(
            check,
            f"{found}, the limit is {_megabytes(host.memory_bytes)}: the process may be killed",
            f"raise the limit to {_megabytes(needed)}, or lower MAX_IN_FLIGHT_BYTES",
        )
    return fine(check, f"{found}, the limit is {_megabytes(host.memory_bytes)}")


def _temporary_files(settings: ConsumerSettings, host: HostFacts) -> Finding:
    check, needed = "temporary files", 2 * settings.max_object_bytes
    found = f"{_megabytes(host.free_bytes)} free in {host.temporary_directory}"
    room = "give the task more ephemeral storage, or lower MAX_OBJECT_BYTES"
    if host.write_problem is not None:
        return problem(
            check, host.write_problem, "mount a writable directory, and set TMPDIR to it"
        )
    if host.free_bytes < needed:
        return warning(
            check, f"{found}: less than twice MAX_OBJECT_BYTES, {_megabytes(needed)}", room
        )
    if host.tmpdir and not _same(host.tmpdir, host.temporary_directory):
        return warning(
            check,
            f"{found}, because TMPDIR={host.tmpdir} is not usable",
            "create that directory, or let the task's user write to it",
        )
    return fine(check, found)


def _stopping(settings: ConsumerSettings) -> Finding:
    check = "stopping"
    stop, wait = settings.shutdown_timeout_seconds, settings.receive_wait_seconds
    found = f"SHUTDOWN_TIMEOUT_SECONDS is {stop}, RECEIVE_WAIT_SECONDS {wait}"
    if stop <= wait:
        return problem(
            check,
            f"{found}: a stop would cut off the last long poll and leave its messages to nobody",
            f"set SHUTDOWN_TIMEOUT_SECONDS above {wait}, or RECEIVE_WAIT_SECONDS below {stop}",
        )
    if stop >= _ECS_STOP_SECONDS:
        return warning(
            check,
            f"{found}: ECS kills a task {_ECS_STOP_SECONDS} s after SIGTERM unless told otherwise",
            f"set the container's stopTimeout above {stop} s",
        )
    return fine(check, found)


def _polling(settings: ConsumerSettings) -> Finding:
    wait = settings.receive_wait_seconds
    found = f"long polls of {wait} s"
    if wait < _SHORT_POLL_SECONDS:
        return warning(
            "polling", f"{found}: each empty one is billed", "set RECEIVE_WAIT_SECONDS=20"
        )
    return fine("polling", found)


def _addresses(settings: ConsumerSettings) -> Finding:
    """Check that both queues are where region and endpoint say, and are two."""
    check = "addresses"
    if settings.queue_url == settings.dlq_url:
        return problem(
            check,
            "QUEUE_URL and DLQ_URL are the same queue: dead letters would be received again",
            "set DLQ_URL to the dead-letter queue",
        )
    for name, url in (("QUEUE_URL", settings.queue_url), ("DLQ_URL", settings.dlq_url)):
        host = urlsplit(url).hostname or ""
        if not host:
            return problem(check, f"{name} is no URL: {url}", f"set {name} to the queue's URL")
        if url.endswith(".fifo"):
            return problem(
                check,
                f"{name} is a FIFO queue, which S3 cannot announce on",
                f"create a standard queue and set {name} to it",
            )
        if (wrong := _elsewhere(settings, name, host)) is not None:
            return wrong
    return fine(check, settings.aws_endpoint_url or f"AWS in {settings.aws_region or 'any region'}")


def _elsewhere(settings: ConsumerSettings, name: str, host: str) -> Finding | None:
    is_aws = host.endswith((_AWS_DOMAIN, f"{_AWS_DOMAIN}.cn"))
    if not is_aws and settings.aws_endpoint_url is None:
        return problem(
            "addresses",
            f"{name} is on {host}, but calls go to AWS, as AWS_ENDPOINT_URL is not set",
            "set AWS_ENDPOINT_URL, or the queue's URL on AWS",
        )
    if is_aws and settings.aws_region and settings.aws_region not in host.split("."):
        return problem(
            "addresses",
            f"{name} is on {host}, but AWS_REGION is {settings.aws_region}",
            "set AWS_REGION to the region of bucket and queues; S3 announces within one region",
        )
    return None


def _credentials(settings: ConsumerSettings) -> Finding:
    is_given = settings.aws_access_key_id is not None
    found = "an access key" if is_given else "left to the AWS SDK, such as the task's role"
    return fine("credentials", found)


def _port(settings: ConsumerSettings, host: HostFacts) -> Finding:
    check = "health port"
    if settings.http_port is None:
        return warning(
            check,
            "HTTP_PORT is not set: nobody can ask whether a consumer is healthy",
            "set HTTP_PORT=8080, and HTTP_HOST=0.0.0.0 in a container",
        )
    address = f"{settings.http_host}:{settings.http_port}"
    if host.consumer_answers:
        return fine(check, f"a consumer answers on {address}")
    if host.port_problem is not None:
        return problem(
            check,
            f"{address} cannot be listened on: {host.port_problem}",
            "set another HTTP_PORT or HTTP_HOST, or stop what listens there",
        )
    return fine(check, f"{address} is free")


def _same(path: str, other: str) -> bool:
    return os.path.abspath(path) == os.path.abspath(other)  # noqa: PTH100 - of text, not of files


def _megabytes(count: int) -> str:
    return f"{count // 2**20:,} MiB"
