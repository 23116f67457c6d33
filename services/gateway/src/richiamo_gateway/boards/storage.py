"""Where are boards kept? In the schema `gateway`: not a view, backed up beside the log."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Row, Table, Text, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from richiamo_gateway.auth.schema import metadata
from richiamo_gateway.boards.board import Board, BoardId, Widget

board = Table(
    "board",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("published", Boolean, nullable=False),
    Column("widgets", JSONB, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="pages of widgets that users made",
)


class Boards:
    """Everybody's boards."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def seen_by(self, username: str) -> Sequence[Board]:
        """One's own, by title, then those that others published."""
        mine = board.c.owner == username
        statement = select(board).where(or_(mine, board.c.published)).order_by(mine.desc(), board.c.title, board.c.id)
        async with self._engine.connect() as connection:
            return [_board(row) for row in await connection.execute(statement)]

    async def add(self, new: Board) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(insert(board).values(id=new.id, owner=new.owner, **_values(new)))

    async def change(self, wanted: BoardId, owner: str, how: Callable[[Board], Board]) -> Board | None:
        """What `how` makes of one's own board, which is locked meanwhile; None when it is not there or not one's own."""
        ours = (board.c.id == wanted) & (board.c.owner == owner)
        async with self._engine.begin() as connection:
            row = (await connection.execute(select(board).where(ours).with_for_update())).one_or_none()
            if row is None:
                return None
            after = how(_board(row))
            await connection.execute(update(board).where(ours).values(**_values(after), changed_at=func.now()))
        return after

    async def remove(self, wanted: BoardId, owner: str) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(board).where(board.c.id == wanted, board.c.owner == owner))


def _values(of: Board) -> dict[str, Any]:
    return {"title": of.title, "published": of.published, "widgets": [widget.as_json() for widget in of.widgets]}


def _board(row: Row[Any]) -> Board:
    return Board(
        id=BoardId(row.id),
        owner=row.owner,
        title=row.title,
        published=row.published,
        widgets=tuple(Widget.from_json(kept) for kept in row.widgets),
    )
