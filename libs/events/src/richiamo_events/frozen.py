"""How is a value made that nobody changes, as fast as one that anybody could? The type checker is its guard.

A frozen dataclass writes each field by a call, so that making one takes three times as long, and a fold makes a dozen
an event. What is declared with this `dataclass(frozen=True)` is frozen to mypy, which refuses every assignment to a
field of it, and plain when it runs; it can be hashed and compared like a frozen one.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    import dataclasses
    from collections.abc import Callable

    def dataclass(*, frozen: bool = False, **options: bool) -> Callable[[type], type]:
        """`dataclasses.dataclass`, of which a frozen one does not look at each assignment."""
        return dataclasses.dataclass(unsafe_hash=frozen, **options)

    def replace(value: object, /, **changes: object) -> object:
        """`dataclasses.replace` for what has slots and nothing to do once it is made, as all of these."""
        made = object.__new__(type(value))
        for name in made.__slots__:
            setattr(made, name, changes[name] if name in changes else getattr(value, name))
        return made


__all__ = ["dataclass", "replace"]
