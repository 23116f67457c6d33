"""How is the gateway started? `richiamo serve gateway`, or `python -m richiamo_gateway`."""

from richiamo_gateway import languages
from richiamo_gateway.app import run
from richiamo_gateway.settings import GatewaySettings
from richiamo_kit import logging, tracing
from richiamo_kit.lifetime import run_service


def main() -> None:
    """Reads the environment and serves until told to end."""
    settings = GatewaySettings()
    logging.configure(settings.log_level, form=settings.log_format, service="gateway")
    tracing.begin("gateway")
    languages.add(settings.languages_dir)
    run_service(run(settings))


if __name__ == "__main__":
    main()
