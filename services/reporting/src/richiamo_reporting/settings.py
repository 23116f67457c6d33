"""What must the reporting service be told at its start?"""

from richiamo_kit.settings import Settings as SharedSettings


class Settings(SharedSettings):
    """The environment that all services share; reporting needs nothing more."""
