"""Does a request wait for a thread only to have its parameters read?"""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any, cast

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from richiamo_gateway.context import Gateway
from richiamo_gateway.http import make_app
from richiamo_kit.health import Health


def routes_in(parts: Sequence[Any]) -> Iterator[APIRoute]:
    for part in parts:
        if isinstance(part, APIRoute):
            yield part
        else:
            inner = getattr(part, "original_router", None)
            yield from routes_in(inner.routes) if inner is not None else ()


def calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls(inner)


def test_everything_that_a_route_asks_for_runs_where_it_is_asked() -> None:
    app = make_app(cast("Gateway", None), Health())
    routes = list(routes_in(app.routes))
    assert len(routes) > 60
    assert [call for route in routes for call in calls(route.dependant) if not inspect.iscoroutinefunction(call)] == []
