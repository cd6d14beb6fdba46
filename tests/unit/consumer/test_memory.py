"""Which memory limit holds for a process, and which byte budget fits into it."""

from pathlib import Path

import pytest

from consumer.memory import default_budget_bytes, memory_limit_bytes, needed_bytes

MEBIBYTE = 2**20


def machine(root: Path, groups: str, **files: str) -> Path:
    """Make the files of a machine on which a process is in these groups."""
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"sys/fs/cgroup/memory.max": "268435456\n"}, 268435456),
        ("0::/\n", {"sys/fs/cgroup/memory.max": "max\n"}, None),
        ("0::/\n", {}, None),
        (
            "0::/pod/one\n",
            {
                "sys/fs/cgroup/pod/one/memory.max": "max\n",
                "sys/fs/cgroup/pod/memory.max": "1000\n",
            },
            1000,
        ),
        # In a container without a namespace of its own, the path is the host's.
        ("0::/docker/abc\n", {"sys/fs/cgroup/memory.max": "1000\n"}, 1000),
        (
            "5:devices:/x\n4:memory:/docker/abc\n0::/\n",
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n"},
            1000,
        ),
        (
            "4:cpu,memory:/a\n",
            {"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n"},
            1000,
        ),
        (
            "4:memory:/\n",
            {"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
            None,
        ),
    ],
)
def test_the_limit_is_that_of_the_innermost_and_all_outer_groups(
    tmp_path: Path, groups: str, files: dict[str, str], expected: int | None
) -> None:
    assert memory_limit_bytes(machine(tmp_path, groups, **files)) == expected


def test_a_system_without_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert memory_limit_bytes(tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "budget"),
    [(None, 256), (128, 32), (256, 32), (512, 117), (928, 256), (65536, 256)],
)
def test_the_budget_follows_the_limit(limit: int | None, budget: int) -> None:
    found = default_budget_bytes(limit and limit * MEBIBYTE)
    assert found == budget * MEBIBYTE
    if limit and limit >= 256:
        assert needed_bytes(found) <= limit * MEBIBYTE
