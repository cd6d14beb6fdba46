"""The producer's command line: arguments in, exit code out.

Exit codes: 0 everything is in the lake; 1 something is missing, as reported; 2 an argument or a
setting is unusable, and nothing was sent; 130 interrupted.
"""

from producer.commands.lake import init_lake_command, publish_command, upload_command
from producer.commands.pull import pull_command, run_command
from runtime.terminal import program

cli = program("producer", "Pull ERP answers and upload ERP exports into the data lake.")
cli.command("pull")(pull_command)
cli.command("run")(run_command)
cli.command("upload")(upload_command)
cli.command("publish")(publish_command)
cli.command("init-lake")(init_lake_command)
