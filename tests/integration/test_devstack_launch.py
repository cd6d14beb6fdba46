import os
import subprocess
from pathlib import Path

from devstack.launch import announced_command, announced_server, janitor_command


def test_a_server_announces_its_own_process_id_and_then_reads_nothing() -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        announced_server(["sh", "-c", "cat; echo $$"]), stdin=writer, stdout=subprocess.PIPE
    )
    os.close(writer)
    output, _ = process.communicate(timeout=10)
    with os.fdopen(reader, "rb") as announced:
        assert announced.read() == b"watch %d\n" % process.pid
    assert output == b"%d\n" % process.pid


def test_a_command_announces_itself_and_keeps_its_own_input() -> None:
    """The pipe ends with the announcement: the command itself does not hold it open."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        announced_command(writer, ["cat"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(writer,),
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as announced:
        assert announced.read() == b"watch %d\n" % process.pid
    assert process.communicate(b"mine", timeout=10)[0] == b"mine"


def test_a_missing_command_ends_with_127_and_a_forbidden_one_with_126(tmp_path: Path) -> None:
    plain_file = tmp_path / "plain"
    plain_file.touch()
    codes = []
    for program in (str(tmp_path / "missing"), str(plain_file)):
        reader, writer = os.pipe()
        command = announced_command(writer, [program])
        result = subprocess.run(command, pass_fds=(writer,), capture_output=True, check=False)
        os.close(reader)
        os.close(writer)
        codes.append((result.returncode, program.encode() in result.stderr))
    assert codes == [(127, True), (126, True)]


def test_the_janitor_ends_what_it_watches_and_removes_the_directory(tmp_path: Path) -> None:
    """A group's member that ignores SIGINT is killed; what it was told to forget lives on."""
    directory = tmp_path / "stack"
    (directory / "data").mkdir(parents=True)
    deaf = subprocess.Popen(
        ["/bin/sh", "-c", "trap '' INT; echo deaf; sleep 60 & wait"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert deaf.stdout is not None
    assert deaf.stdout.readline() == b"deaf\n"  # by now it ignores SIGINT
    in_our_group = subprocess.Popen(["/bin/sleep", "60"])
    forgotten = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    told = f"watch {deaf.pid}\nwatch {forgotten.pid}\nwatch {in_our_group.pid}\n"
    told += f"forget {forgotten.pid}\n"
    try:
        subprocess.run(janitor_command(directory), input=told.encode(), check=True, timeout=20)
        assert not directory.exists()
        assert deaf.wait(5) == -9
        assert in_our_group.wait(5) == -2
        assert forgotten.poll() is None
    finally:
        for process in (deaf, in_our_group, forgotten):
            process.kill()
            process.wait()
        deaf.stdout.close()


def test_the_janitor_touches_nothing_when_the_keeper_says_it_is_done(tmp_path: Path) -> None:
    process = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    told = b"watch %d\ndone\n" % process.pid
    try:
        subprocess.run(janitor_command(tmp_path), input=told, check=True, timeout=20)
        assert tmp_path.exists()
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
