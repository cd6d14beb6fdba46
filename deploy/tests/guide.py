"""What docs/deploy.md tells to type, section by section."""

import re
from pathlib import Path

GUIDE = Path(__file__).parent.parent.parent / "docs" / "deploy.md"
_TEXT = GUIDE.read_text(encoding="utf-8")
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS: dict[str, str] = dict(_SECTION.findall(_TEXT))


def commands(section: str) -> list[str]:
    """Return the commands of a section, each as it stands after its prompt."""
    blocks = re.findall(r"```console\n(.*?)```", SECTIONS[section], re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def statements(section: str) -> list[str]:
    """Return the SQL statements of a section."""
    blocks = re.findall(r"```sql\n(.*?)```", SECTIONS[section], re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]
