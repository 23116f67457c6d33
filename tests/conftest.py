"""Which fixtures does every test have? Those of the kit: real servers, a fresh log, a fresh database."""

pytest_plugins = ["richiamo_kit.testing"]
