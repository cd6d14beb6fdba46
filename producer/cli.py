"""The producer's command line: arguments in, exit code out.

Exit codes: 0 everything is in the lake; 1 something is missing, as reported; 2 an argument or a
setting is unusable, and nothing was sent; 130 interrupted.
"""

from runtime.program import program

COMMANDS = {
    "pull": "producer.commands.pull:pull_command",
    "run": "producer.commands.pull:run_command",
    "upload": "producer.commands.lake:upload_command",
    "publish": "producer.commands.lake:publish_command",
    "init-lake": "producer.commands.lake:init_lake_command",
}

cli = program("producer", "Pull ERP answers and upload ERP exports into the data lake.", COMMANDS)
