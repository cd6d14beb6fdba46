"""Checks of the settings themselves, and of the machine they hold for."""

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from consumer.drift.renames import read_aliases
from consumer.errors import LocalDisk
from consumer.memory import memory_limit_bytes, needed_bytes
from consumer.operate.doctor.findings import Finding, fine, problem, warning
from consumer.settings import ConsumerSettings
from consumer.spool import check_temporary_files
from runtime.errors import SettingsInvalid

_ECS_STOP_SECONDS = 30  # Amazon ECS, stopTimeout: what a task has unless it asks for more
_SHORT_POLL_SECONDS = 5
_ANSWER_SECONDS = 2
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")


def check_configuration(settings: ConsumerSettings, *, runs: bool = True) -> Iterator[Finding]:
    """Check the settings, those of the service only if it `runs`; reads the alias file."""
    if runs:
        yield _stopping(settings)
        yield _polling(settings)
    yield _addresses(settings)
    is_given = settings.aws_access_key_id is not None
    found = "an access key" if is_given else "left to the AWS SDK, such as the task's role"
    yield fine("credentials", found)
    yield _aliases(settings.schema_aliases_file)


def check_host(settings: ConsumerSettings) -> list[Finding]:
    """Check the health port, and the room for large documents in memory and on disk. Blocks."""
    return [
        _health_port(settings.http_host, settings.http_port),
        _memory(settings.byte_budget_bytes),
        _temporary_files(2 * settings.max_object_bytes),
    ]


def _stopping(settings: ConsumerSettings) -> Finding:
    stop, wait = settings.shutdown_timeout_seconds, settings.receive_wait_seconds
    found = f"SHUTDOWN_TIMEOUT_SECONDS is {stop}, RECEIVE_WAIT_SECONDS {wait}"
    if stop <= wait:
        found += ": a stop would cut off the last long poll and leave its messages to nobody"
        remedy = f"set SHUTDOWN_TIMEOUT_SECONDS above {wait}, or RECEIVE_WAIT_SECONDS below {stop}"
        return problem("stopping", found, remedy)
    if stop >= _ECS_STOP_SECONDS:
        found += f": ECS kills a task {_ECS_STOP_SECONDS} s after SIGTERM unless told otherwise"
        return warning("stopping", found, f"set the container's stopTimeout above {stop} s")
    return fine("stopping", found)


def _polling(settings: ConsumerSettings) -> Finding:
    found = f"long polls of {settings.receive_wait_seconds} s"
    if settings.receive_wait_seconds < _SHORT_POLL_SECONDS:
        found += ": each empty one is billed"
        return warning("polling", found, "set RECEIVE_WAIT_SECONDS=20")
    return fine("polling", found)


def _addresses(settings: ConsumerSettings) -> Finding:
    """Check that both queues are where region and endpoint say, and are two."""
    check, region = "addresses", settings.aws_region
    if settings.queue_url == settings.dlq_url:
        found = "QUEUE_URL and DLQ_URL are the same queue: dead letters would be received again"
        return problem(check, found, "set DLQ_URL to the dead-letter queue")
    for name, url in (("QUEUE_URL", settings.queue_url), ("DLQ_URL", settings.dlq_url)):
        host = urlsplit(url).hostname or ""
        is_aws = host.endswith(_AWS_DOMAINS)
        if not host:
            return problem(check, f"{name} is no URL: {url}", f"set {name} to the queue's URL")
        if url.endswith(".fifo"):
            found = f"{name} is a FIFO queue, which S3 cannot announce on"
            return problem(check, found, f"create a standard queue and set {name} to it")
        if not is_aws and settings.aws_endpoint_url is None:
            found = f"{name} is on {host}, but calls go to AWS, as AWS_ENDPOINT_URL is not set"
            return problem(check, found, "set AWS_ENDPOINT_URL, or the queue's URL on AWS")
        if is_aws and region and region not in host.split("."):
            found = f"{name} is on {host}, but AWS_REGION is {region}"
            remedy = "set AWS_REGION to that of bucket and queues; S3 announces within one region"
            return problem(check, found, remedy)
    return fine(check, settings.aws_endpoint_url or f"AWS in {region or 'any region'}")


def _aliases(path: str | None) -> Finding:
    try:
        read_aliases(path)
    except SettingsInvalid as error:
        remedy = "correct SCHEMA_ALIASES_FILE, or unset it; docs/operations.md shows one"
        return problem("aliases", str(error), remedy)
    return fine("aliases", f"{path} is usable" if path else "only the shipped ones")


def _health_port(host: str, port: int | None) -> Finding:
    check, address = "health port", f"{host}:{port}"
    if port is None:
        found = "HTTP_PORT is not set: nobody can ask whether a consumer is healthy"
        return warning(check, found, "set HTTP_PORT=8080, and HTTP_HOST=0.0.0.0 in a container")
    try:
        with socket.create_server((host, port)):
            return fine(check, f"{address} is free")
    except OSError as error:
        if _is_consumer("127.0.0.1" if host in _EVERYWHERE else host, port):
            return fine(check, f"a consumer answers on {address}")
        found = f"{address} cannot be listened on: {error.strerror or error}"
        return problem(check, found, "set another HTTP_PORT, or stop what listens there")


def _is_consumer(host: str, port: int) -> bool:
    connection = HTTPConnection(host, port, timeout=_ANSWER_SECONDS)
    with suppress(OSError, HTTPException), closing(connection):
        connection.request("GET", "/metrics")
        return b"coco_" in connection.getresponse().read()
    return False


def _memory(budget: int) -> Finding:
    needed, limit = needed_bytes(budget), memory_limit_bytes()
    found = f"a byte budget of {_megabytes(budget)} may need {_megabytes(needed)} in all, "
    if limit is None:
        return fine("memory", f"{found}there is no limit")
    found += f"the limit is {_megabytes(limit)}"
    if limit < needed:
        remedy = f"raise the limit to {_megabytes(needed)}, or lower MAX_IN_FLIGHT_BYTES"
        return warning("memory", f"{found}: the process may be killed", remedy)
    return fine("memory", found)


def _temporary_files(needed: int) -> Finding:
    check, wanted = "temporary files", os.getenv("TMPDIR")
    try:
        check_temporary_files()
    except LocalDisk as error:
        return problem(check, str(error), "mount a writable directory, and set TMPDIR to it")
    directory = tempfile.gettempdir()
    free = shutil.disk_usage(directory).free
    found = f"{_megabytes(free)} free in {directory}"
    if free < needed:
        found += f": less than twice MAX_OBJECT_BYTES, {_megabytes(needed)}"
        remedy = "give the task more ephemeral storage, or lower MAX_OBJECT_BYTES"
        return warning(check, found, remedy)
    if wanted and os.path.abspath(wanted) != directory:  # noqa: PTH100 - of text, not of files
        found += f", because TMPDIR={wanted} is not usable"
        return warning(check, found, "create that directory, or let the task's user write to it")
    return fine(check, found)


def _megabytes(count: int) -> str:
    return f"{count // 2**20:,} MiB"
