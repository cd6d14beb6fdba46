"""The consumer's command line.

Exit codes: 0 done; 1 it could not be done; 2 an argument or setting is unusable; 130 interrupted.
"""

from runtime.program import program

COMMANDS = {
    "migrate": "consumer.operate.migrate:migrate",
    "run": "consumer.service:run",
    "status": "consumer.operate.reports:status",
    "doctor": "consumer.operate.doctor.command:doctor",
    "dlq": "consumer.operate.dlq.commands:dlq",
    "explain": "consumer.operate.explain:explain_command",
    "validate": "consumer.operate.validate:validate",
    "drift": "consumer.operate.drift_report:drift",
    "verify": "consumer.operate.verify.command:verify",
    "history": "consumer.operate.history.command:history",
    "reconcile": "consumer.operate.reconcile:reconcile",
    "rebuild": "consumer.operate.rebuild:rebuild",
    "prune": "consumer.operate.prune:prune",
}

cli = program("consumer", "Load new objects of the data lake into PostgreSQL.", COMMANDS)
