"""An ingest on a free port, as the tests of ingest have it."""

from tests.ingest.conftest import ingest

__all__ = ["ingest"]
