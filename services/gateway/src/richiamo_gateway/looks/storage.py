"""Where is it kept how people like their lists? In the schema `gateway`: not a view, backed up beside the log."""

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Column, Row, Table, Text, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_gateway.auth.schema import metadata
from richiamo_gateway.looks.look import Density, Look, as_json, from_json

look = Table(
    "look",
    metadata,
    Column("username", Text, primary_key=True),
    Column("density", Text, nullable=False),
    Column("lists", JSONB, nullable=False, comment="by the address of the list: hidden columns, and views with a name"),
    comment="how users like their lists",
)


class Looks:
    """Everybody's lists."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, username: str) -> Look:
        """As they left it, or as it comes."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(look).where(look.c.username == username))).one_or_none()
        return _look(row) if row else Look()

    async def change(self, username: str, how: Callable[[Look], Look]) -> Look:
        """What `how` makes of it; two changes at once both count."""
        mine = look.c.username == username
        fresh = insert(look).values(username=username, density=Look().density, lists={}).on_conflict_do_nothing()
        async with self._engine.begin() as connection:
            await connection.execute(fresh)
            row = (await connection.execute(select(look).where(mine).with_for_update())).one()
            after = how(_look(row))
            values = {"density": after.density, "lists": as_json(after.lists)}
            await connection.execute(update(look).where(mine).values(values))
        return after


def _look(row: Row[Any]) -> Look:
    return Look(cast("Density", row.density), from_json(row.lists))
