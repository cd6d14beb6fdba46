"""Starting programs so that whoever watches over them learns of each before it can run.

A program starts through a line of shell that first writes its own process id down a pipe and
then becomes the program. Were the starter to write it after the start, a SIGKILL in between
would leave a process that nobody knows of.
"""

import contextlib
import os
import sys
from pathlib import Path

# For servers: the pipe comes as standard input, the one number that every shell can redirect.
_SERVER = 'printf "watch %s\\n" "$$" >&0; exec "$@" </dev/null'

# For commands, whose standard input is their own. 126 and 127 are what a shell answers. An
# interrupt that we ignore, as programs in the background do, would be ignored by the command.
_COMMAND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
pipe, *command = sys.argv[1:]
os.write(int(pipe), b"watch %d\\n" % os.getpid())
os.close(int(pipe))
try:
    os.execvp(command[0], command)
except FileNotFoundError:
    sys.exit(print(f"{command[0]}: no such command", file=sys.stderr) or 127)
except OSError as error:
    sys.exit(print(f"{command[0]}: {error.strerror}", file=sys.stderr) or 126)
"""

# Waits for the pipe to end, which happens when the keeper is gone, however it went. What it was
# told to watch is then interrupted and killed, and the directory removed. `done` ends it idle.
_JANITOR = """
trap '' HUP INT TERM QUIT
watched=' '
while read -r word id; do
  case $word in
    watch) watched="$watched$id " ;;
    forget) watched="${watched%% $id *} ${watched#* $id }" ;;
    done) exit 0 ;;
  esac
done
signal_all() {
  for id in $watched; do kill -s "$1" -- "-$id" || kill -s "$1" -- "$id"; done 2>/dev/null
}
signal_all INT
sleep 0.5
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  signal_all KILL
  rm -rf -- "$0" 2>/dev/null && [ ! -e "$0" ] && exit 0
  sleep 0.2
done
"""


def announced_server(command: list[str]) -> list[str]:
    """Return a command that announces itself on its standard input, then runs `command`.

    The starter passes the pipe's write end as standard input; the server gets /dev/null.
    """
    return ["/bin/sh", "-c", _SERVER, "sh", *command]


def announced_command(pipe: int, command: list[str]) -> list[str]:
    """Return a command that announces itself on the descriptor `pipe`, then runs `command`.

    The starter passes the descriptor on (`pass_fds`); the program itself no longer has it. A
    missing program ends with 127, one that may not run with 126.
    """
    return [sys.executable, "-I", "-S", "-c", _COMMAND, str(pipe), *command]


def janitor_command(directory: Path) -> list[str]:
    """Return the command that cleans up after a keeper that was killed.

    It needs no Python, no file of ours and no name of ours, so whatever pattern killed the keeper
    hardly matches it.
    """
    return ["/bin/sh", "-c", _JANITOR, str(directory)]


def signal_program(process_id: int, number: int) -> bool:
    """Send a signal to a program's whole group, or to it alone when it leads none.

    Returns:
        Whether there was anything to send it to; signal 0 only asks.
    """
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            send(process_id, number)
            return True
    return False
