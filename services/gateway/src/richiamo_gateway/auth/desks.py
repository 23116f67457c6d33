"""At which extension does somebody work today? Chosen at the log-in, theirs alone, given back at the log-out.

The choice is a change of the user in the log, so that recalls, their records and the lists follow it; beside the log
only the extension to go back to is kept.
"""

import asyncio

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from richiamo_events.language import OperatorChanged
from richiamo_gateway import problem
from richiamo_gateway.auth.schema import desk
from richiamo_gateway.auth.sessions import Sessions
from richiamo_gateway.people import People
from richiamo_kit.errors import Problem, Unavailable
from richiamo_kit.log_view import SiteView

_LOCK = 0x5249434445534B
_LOOK_EVERY = 60.0

_log = structlog.get_logger(__name__)


class Desks:
    """Hands extensions out to those who are logged in; one move at a time, whatever the number of gateways."""

    def __init__(self, engine: AsyncEngine, people: People, sessions: Sessions, site: SiteView) -> None:
        self._engine = engine
        self._people = people
        self._sessions = sessions
        self._site = site

    async def sit(self, username: str, extension: str) -> None:
        """Work at this extension until the log-out.

        Whoever else has it and is not logged in gets it back when they come. Raises `extension-taken` (409) with the
        name of somebody who is working there, and `invalid` (422).
        """
        async with self._engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            await self._move(connection, username, extension)

    async def arrive(self, username: str) -> None:
        """Back at one's own extension after it was lent out; without one while a colleague still works there."""
        async with self._engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            home = await connection.scalar(select(desk.c.home).where(desk.c.username == username))
            if home is None:
                return
            try:
                await self._move(connection, username, home)
            except Problem as refused:
                if refused.type != "extension-taken":
                    raise

    async def leave(self, username: str) -> None:
        """Give the chosen extension back; one's own returns unless a colleague works there now."""
        async with self._engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            await self._go_home(connection, username)

    async def free(self) -> None:
        """The same for everybody whose last session has ended by itself: nobody has to come and claim the desk."""
        async with self._engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            for username in (await connection.scalars(select(desk.c.username))).all():
                if not await self._sessions.open_of(username):
                    await self._go_home(connection, username)

    async def keep_free(self) -> None:
        """Look once a minute, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            try:
                await self.free()
            except (SQLAlchemyError, OSError, Unavailable) as error:
                _log.warning("desks_not_freed", reason=str(error).strip())

    async def forget(self, username: str) -> None:
        """An administrator gave the user another extension of their own."""
        async with self._engine.begin() as connection:
            await self._forget(connection, username)

    async def _move(self, connection: AsyncConnection, username: str, extension: str) -> None:
        me = self._site.operators.get(username)
        holder = self._holder(extension, username)
        if me is None or me.extension == extension:
            return
        if holder is not None:
            if await self._sessions.open_of(holder.username):
                title = f"{holder.name} is working at extension {extension}."
                raise problem.conflict("extension-taken", title, username=holder.username, name=holder.name)
            await self._remember(connection, holder)
            await self._write(holder.username, "", by=username)
        await self._remember(connection, me)
        await self._write(username, extension, by=username)
        if await connection.scalar(select(desk.c.home).where(desk.c.username == username)) == extension:
            await self._forget(connection, username)

    async def _go_home(self, connection: AsyncConnection, username: str) -> None:
        home = await connection.scalar(select(desk.c.home).where(desk.c.username == username))
        me = self._site.operators.get(username)
        if home is None or me is None:
            return
        holder = self._holder(home, username)
        back_at = "" if holder else home
        if me.extension != back_at:
            await self._write(username, back_at, by=username)
        if holder is None:
            await self._forget(connection, username)

    def _holder(self, extension: str, username: str) -> OperatorChanged | None:
        holder = self._site.operators.by_extension(extension)
        return holder if holder is not None and holder.username != username else None

    async def _write(self, username: str, extension: str, *, by: str) -> None:
        await self._people.change(username, {"extension": extension}, by=by, key=None)

    async def _remember(self, connection: AsyncConnection, user: OperatorChanged) -> None:
        await connection.execute(
            insert(desk).values(username=user.username, home=user.extension).on_conflict_do_nothing()
        )

    async def _forget(self, connection: AsyncConnection, username: str) -> None:
        await connection.execute(delete(desk).where(desk.c.username == username))
