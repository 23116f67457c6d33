"""How does a browser get the built scripts and styles? Kept for good under an address that changes with the content."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
_FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def address(name: str) -> str:
    """Where a built file is, with a mark that changes when its content does."""
    return f"/static/{name}?{_mark(name)}"


@cache
def _mark(name: str) -> str:
    path = STATIC / name
    return sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "missing"


class Built(StaticFiles):
    """The files of `STATIC`; what is not asked for by its present mark is asked for again each time.

    While a new version takes over, its pages may ask the old one: that answer must not be kept under the new mark.
    """

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, saying how long it holds. Raises 404 for one that there is not."""
        response = await super().get_response(path, scope)
        present = scope["query_string"].decode("latin-1") == _mark(path)
        response.headers["Cache-Control"] = _FOR_GOOD if present else "no-cache"
        return response
