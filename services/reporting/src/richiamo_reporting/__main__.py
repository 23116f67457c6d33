"""How is the reporting service started? `python -m richiamo_reporting`, or `richiamo serve reporting`."""

from richiamo_kit import further_languages, logging, tracing
from richiamo_kit.lifetime import run_service
from richiamo_reporting.app import run
from richiamo_reporting.settings import Settings


def main() -> None:
    """Read the environment and serve until SIGTERM or SIGINT."""
    settings = Settings()
    logging.configure(settings.log_level, form=settings.log_format, service="reporting")
    tracing.begin("reporting")
    further_languages.add(settings.languages_dir)
    run_service(run(settings))


if __name__ == "__main__":
    main()
