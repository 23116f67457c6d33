"""Which views are folded from the log? Each by its short name, with how to make its projection."""

from collections.abc import Callable, Mapping

from richiamo_callback_tracker import view as tracker
from richiamo_ingest import call_index
from richiamo_kit.projector import Projection
from richiamo_ops.site import Site
from richiamo_queue.worklist import projection as worklist
from richiamo_reporting.audit import projection as audit
from richiamo_reporting.facts import projection as reporting

SHADOW = "_next"
"""What is put after the schema's name while a view is built beside the running one."""

Make = Callable[[Site, str], Projection]


def _worklist(site: Site, suffix: str) -> Projection:
    return worklist.WorklistProjection(site.directory, site.defaults, schema=worklist.SCHEMA + suffix)


def _calls(_site: Site, suffix: str) -> Projection:
    return call_index.CallIndexProjection(schema=call_index.SCHEMA + suffix)


def _tracker(_site: Site, suffix: str) -> Projection:
    return tracker.TrackerProjection(schema=tracker.SCHEMA + suffix)


def _reporting(site: Site, suffix: str) -> Projection:
    return reporting.ReportingFacts(site.defaults, schema=reporting.SCHEMA + suffix)


def _audit(_site: Site, suffix: str) -> Projection:
    return audit.AuditTrail(schema=audit.SCHEMA + suffix)


VIEWS: Mapping[str, Make] = {
    "reporting": _reporting,
    "worklist": _worklist,
    "calls": _calls,
    "tracker": _tracker,
    "audit": _audit,
}
"""Those that take longest to make come first, so that all are done soonest when they are made side by side."""
