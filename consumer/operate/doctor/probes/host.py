"""Looking at the machine that the consumer runs on. Blocks."""

import os
import shutil
import socket
import tempfile
from http.client import HTTPConnection, HTTPException

from consumer.errors import LocalDisk
from consumer.memory import memory_limit_bytes
from consumer.operate.doctor.facts import HostFacts
from consumer.settings import ConsumerSettings
from consumer.spool import check_temporary_files

_ANSWER_SECONDS = 2
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


def probe_host(settings: ConsumerSettings) -> HostFacts:
    """Learn whether HTTP_PORT can be listened on, and how much room temporary files have."""
    host, port = settings.http_host, settings.http_port
    reason = _cannot_listen(host, port) if port is not None else None
    answers = port is not None and reason is not None and _answers(host, port)
    try:
        check_temporary_files()
        directory, write_problem = tempfile.gettempdir(), None
        free_bytes = shutil.disk_usage(directory).free
    except LocalDisk as error:
        directory, write_problem, free_bytes = tempfile.tempdir or "", str(error), 0
    return HostFacts(
        reason,
        answers,
        directory,
        free_bytes,
        write_problem,
        os.getenv("TMPDIR"),
        memory_limit_bytes(),
    )


def _cannot_listen(host: str, port: int) -> str | None:
    try:
        with socket.create_server((host, port)):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _answers(host: str, port: int) -> bool:
    """Say whether what listens there already is a consumer."""
    where = "127.0.0.1" if host in _EVERYWHERE else host
    connection = HTTPConnection(where, port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return b"coco_" in connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
