"""The environment a command gets beside the servers: the caller's, cleaned, plus the stack's."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

# A profile, session token, service endpoint or PGOPTIONS of the caller's would take the command
# past the local servers, in the worst case to real ones: none of these families is handed on.
_FOREIGN_PREFIXES = ("AWS_", "PG")


def command_environment(
    caller: Mapping[str, str], stack: Mapping[str, str], python: str = sys.executable
) -> dict[str, str]:
    """Return the environment for a command that shall find `stack` and the project's programs.

    The directory of `python` comes first on PATH, and local addresses bypass any proxy.
    """
    kept = {name: value for name, value in caller.items() if not name.startswith(_FOREIGN_PREFIXES)}
    programs = str(Path(python).parent)
    kept["PATH"] = os.pathsep.join([programs, caller.get("PATH", os.defpath)])
    for name in ("NO_PROXY", "no_proxy"):
        local = [caller[name]] if caller.get(name) else []
        kept[name] = ",".join([*local, "127.0.0.1", "localhost"])
    return {**kept, **stack}


def export_lines(environment: Mapping[str, str]) -> str:
    """Return `export NAME=value` lines, quoted for a shell, one for each variable."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
