"""Which fixtures does every test have? Those of the kit: real servers, a fresh log, a fresh database."""

from hypothesis import settings

pytest_plugins = ["richiamo_kit.testing"]

# A machine that is busy with something else fails no property.
settings.register_profile("richiamo", deadline=None)
settings.load_profile("richiamo")
