"""How does the command line read its arguments and report errors?"""

import sys
from collections.abc import Sequence

import cyclopts
from rich.console import Console

from richiamo_kit.errors import Problem, Unavailable

app = cyclopts.App(
    name="richiamo",
    help="Start, feed, check and repair a Richiamo. Every command has --help with an example.",
    version="0.1.0",
)
app.command("richiamo_ops.up:up", name="up")
app.command("richiamo_ops.serve:serve", name="serve")
app.command("richiamo_ops.simulate.command:simulate", name="simulate")
app.command("richiamo_ops.replay:replay", name="replay")
app.command("richiamo_ops.replay:tail", name="tail")
app.command("richiamo_ops.rebuild:rebuild", name="rebuild")
app.command("richiamo_ops.as_of:as_of", name="as-of")
app.command("richiamo_ops.erase:erase", name="erase")


def run(arguments: Sequence[str]) -> int:
    """Carry out one command; the exit code, 0 only on success."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        answer = app(list(arguments), result_action="return_value", print_error=True, exit_on_error=True)
    except (Unavailable, Problem) as error:
        errors.print(f"richiamo: {error}", markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print("richiamo: interrupted")
        return 130
    sys.stdout.flush()
    return answer if isinstance(answer, int) else 0
