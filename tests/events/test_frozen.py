"""Is what the type checker keeps frozen what `dataclasses` would make of it?"""

import dataclasses
from typing import Any

import pytest

from richiamo_events import caller, envelope, history, requests
from richiamo_events.frozen import replace
from richiamo_events.ids import CallId

MADE = [
    cls
    for module in (caller, envelope, history, requests)
    for cls in vars(module).values()
    if isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__module__ == module.__name__
]


@pytest.mark.parametrize("cls", MADE, ids=lambda cls: cls.__qualname__)
def test_the_quick_replace_copies_all_there_is(cls: Any) -> None:
    """It copies the slots of the class itself and runs nothing: so there is no parent with fields, and no `__post_init__`."""
    assert set(cls.__slots__) == {field.name for field in dataclasses.fields(cls)}
    assert not hasattr(cls, "__post_init__")
    assert all(field.init for field in dataclasses.fields(cls))


def test_what_was_replaced_is_a_copy_with_the_change() -> None:
    before = history.History()
    call = CallId("main", "1.0")
    after = replace(before, voided=frozenset({call}))
    assert not before.voided
    assert after.voided == {call}
    assert replace(after, voided=before.voided) == before
