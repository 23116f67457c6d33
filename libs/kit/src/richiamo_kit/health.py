"""Is this process alive, and can it do its work? What `/healthz`, `/readyz` and `/metrics` answer."""

from collections.abc import Awaitable, Callable

from richiamo_kit import metrics

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else what is missing, in words."""


class Health:
    """The checks of one process; each is asked anew every time."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def missing(self) -> dict[str, str]:
        """What is missing, by the name of the check; empty when ready."""
        missing: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                found = await check()
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
            if found:
                missing[name] = found
        return missing

    async def ready(self) -> tuple[int, dict[str, object]]:
        """Status and body of `/readyz`."""
        missing = await self.missing()
        return (503, {"ready": False, "missing": missing}) if missing else (200, {"ready": True})


def live() -> tuple[int, dict[str, object]]:
    """Status and body of `/healthz`."""
    return 200, {"alive": True}


def measured() -> tuple[bytes, str]:
    """Body and content type of `/metrics`."""
    return metrics.exposition(), metrics.CONTENT_TYPE
