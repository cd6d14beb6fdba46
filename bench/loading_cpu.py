"""Processor time of a load: this process's, and that of the server that works for it."""

import psutil
import psycopg

from bench.cpu import own_seconds
from consumer.settings import DatabaseSettings


class LoadingCpu:
    """A clock of CPU-seconds: what else the machine does hardly moves it."""

    def __init__(self, settings: DatabaseSettings) -> None:
        with psycopg.connect(**settings.conninfo) as connection:
            backend = psutil.Process(connection.info.backend_pid)
            self._server = backend.parent() or backend

    def seconds(self) -> float:
        """Return what both have used so far; the server's sessions that ended count too."""
        times = self._server.cpu_times()
        used = times.user + times.system + times.children_user + times.children_system
        for child in self._server.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            used += times.user + times.system
        return own_seconds() + used
