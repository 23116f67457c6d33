"""With which password does the first administrator log in, and is it to be shown?"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from richiamo_ops.settings import Installation


@dataclass(frozen=True, slots=True)
class LogIn:
    """`password` is what the gateway is given (nothing: the user exists), `words` what the user reads."""

    password: str | None
    words: str


def _seen(data_dir: Path) -> Path:
    return data_dir / "secrets" / "admin-exists"


def log_in_of(installation: Installation, *, keep: bool) -> LogIn:
    """The environment's password; else a new one at the first start, told once.

    `keep` (for the demonstration, whose simulator logs in again) writes the generated password down.
    """
    if installation.admin_password:
        return LogIn(installation.admin_password.get_secret_value(), "admin, with RICHIAMO_ADMIN_PASSWORD")
    kept = installation.folder / "secrets" / "demo-password"
    if keep:
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(9))
        password = kept.read_text()
        return LogIn(password, f"admin / {password}")
    if _seen(installation.folder).exists():
        return LogIn(None, "admin, with the password shown at the first start")
    password = secrets.token_urlsafe(9)
    return LogIn(password, f"admin / {password}   (shown this once)")


def exists_now(installation: Installation) -> None:
    """The gateway is ready, so the user exists: no later start generates a password."""
    _seen(installation.folder).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _seen(installation.folder).touch()
