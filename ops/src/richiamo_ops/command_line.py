"""How does the command line read its arguments and report errors?"""

import os
import sys
from collections.abc import Sequence

import cyclopts
import psycopg
from rich.console import Console

from richiamo_kit import logging
from richiamo_kit.errors import Problem, Unavailable

app = cyclopts.App(
    name="richiamo",
    help="Start, feed, check and repair a Richiamo. Every command has --help with an example.",
    version="0.1.0",
)
for _name, _function, _help in (
    ("up", "richiamo_ops.up:up", "Start everything on this machine and keep it running."),
    ("serve", "richiamo_ops.serve:serve", "Run one service in this process."),
    ("simulate", "richiamo_ops.simulate.command:simulate", "Play a call centre and its PBX."),
    ("import", "richiamo_ops.import_:import_file", "Import call records: a Kalliope's or an Asterisk's files."),
    ("replay", "richiamo_ops.replay:replay", "Write the log, or a part of it, as JSON lines or into a stream."),
    ("tail", "richiamo_ops.replay:tail", "Write new events as they are recorded."),
    ("rebuild", "richiamo_ops.rebuild:rebuild", "Fold a view again from the log and put it in place."),
    ("as-of", "richiamo_ops.as_of:as_of", "Print a report or the worklist as it was at an instant."),
    ("what-if", "richiamo_ops.what_if:what_if", "Print the Dashboard as other settings would have made it."),
    ("explain", "richiamo_ops.explain:explain", "Tell which events and rules led to a request or a figure."),
    ("check", "richiamo_ops.check:check", "Check log, views, directory and the reports' identities."),
    ("doctor", "richiamo_ops.doctor:doctor", "Find what is wrong with the installation, and say what mends it."),
    ("nightly", "richiamo_ops.nightly:nightly", "Check everything each night; part of up."),
    ("backup", "richiamo_ops.backup:backup", "Save the log and what lies beside it into a folder."),
    ("restore", "richiamo_ops.restore:restore", "Bring back a backup into an empty installation."),
    ("test-pbx", "richiamo_ops.check_pbx:check_pbx", "Say in words whether the PBX is set up right."),
    ("quarantine", "richiamo_ops.quarantine:app", "List, repair and submit again what nobody could read."),
    ("bench", "richiamo_ops.bench.command:bench", "Measure speed, memory and growth on a system of its own."),
    ("bench-log", "richiamo_ops.bench.long_log:bench_log", "Measure what a log ten times as long costs."),
    ("install", "richiamo_ops.install:install", "Write what systemd, NATS, PostgreSQL and Caddy need to run it."),
    ("renumber", "richiamo_ops.renumber:renumber", "Bring calls to the right customer after the number rules changed."),
    ("erase", "richiamo_ops.erase:erase", "Forget a number for ever; the counts stay."),
):
    app.command(_function, name=_name, help=_help)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command; the exit code, 0 only on success."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    logging.configure(os.environ.get("RICHIAMO_LOG_LEVEL", "error"))
    try:
        answer = app(list(arguments), result_action="return_value", print_error=True, exit_on_error=True)
    except Problem as problem:
        errors.print(f"richiamo: {problem.title} {problem.detail}".rstrip(), markup=False)
        return 1
    except Unavailable as error:
        errors.print(f"richiamo: {error}", markup=False)
        return 1
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (psycopg.Error, OSError) as error:
        errors.print(f"richiamo: {str(error).strip()}", markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print("richiamo: interrupted")
        return 130
    sys.stdout.flush()
    return answer if isinstance(answer, int) else 0
