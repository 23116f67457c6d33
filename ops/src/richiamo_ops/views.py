"""Which views are folded from the log? Each by its short name, with how to make its projection."""

from collections.abc import Callable, Mapping

from richiamo_kit.projector import Projection
from richiamo_ops.site import Site
from richiamo_queue.worklist import projection as worklist

SHADOW = "_next"
"""What is put after the schema's name while a view is built beside the running one."""

Make = Callable[[Site, str], Projection]


def _worklist(site: Site, suffix: str) -> Projection:
    return worklist.WorklistProjection(site.directory, site.defaults, schema=worklist.SCHEMA + suffix)


VIEWS: Mapping[str, Make] = {"worklist": _worklist}
