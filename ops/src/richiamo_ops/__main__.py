"""Which commands does `richiamo` have? One module a command, imported only when it is asked for."""

import sys

from richiamo_ops.serve import serve


def main() -> None:
    """Run the command line; errors a user can mend end in one plain sentence and exit code 1."""
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == "serve" and not arguments[1].startswith("-"):
        # What the supervisor starts five times, and again after each death: spare it the command line's imports.
        serve(arguments[1])
        return
    from richiamo_ops.command_line import run  # noqa: PLC0415 -- See above.

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
