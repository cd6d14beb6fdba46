"""The renames in force: the shipped ones and those of SCHEMA_ALIASES_FILE."""

from pathlib import Path

from consumer.drift.renames import refuse_unknown_paths
from runtime.errors import SettingsInvalid
from schemas.aliases import Aliases, AliasesInvalid, load_aliases

ALIASES_DISAGREE = "consumers of this database read renamed fields by different alias files"
ALIASES_REMEDY = (
    "give all of them the same SCHEMA_ALIASES_FILE, restart them, then `producer publish` what was "
    "loaded meanwhile; during a rollout this passes by itself in ten minutes"
)


def read_aliases(path: str | None) -> Aliases:
    """Read the shipped renames and those of SCHEMA_ALIASES_FILE.

    Raises:
        SettingsInvalid: the file cannot be read, is not of the documented form, or names a field
            that no document has.
    """
    if path is None:
        return load_aliases()
    try:
        aliases = load_aliases(Path(path).read_text(encoding="utf-8"), path)
        refuse_unknown_paths(aliases, path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"SCHEMA_ALIASES_FILE: cannot read {path}: {error}") from error
    except AliasesInvalid as error:
        raise SettingsInvalid(str(error)) from error
    return aliases
