"""Where does the `richiamo` command begin?"""


def main() -> None:
    """Run the command line."""
