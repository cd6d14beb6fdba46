"""The command line of `console`.

Exit codes: 0 stopped; 1 it could not start; 2 an argument or a setting is unusable.
"""

from runtime.program import program

COMMANDS = {"serve": "console.serve:serve"}
PURPOSE = "Show in the browser what arrived, what failed and what changed."

cli = program("console", PURPOSE, COMMANDS)
