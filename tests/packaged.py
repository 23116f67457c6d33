"""A PostgreSQL as a package or an image leaves it: its superuser is called postgres, and nothing of ours is there."""

from psycopg import sql

from richiamo_kit import database
from richiamo_kit.analysts import NUMBERS_ROLE, STAR_ROLE
from richiamo_kit.roles import USERS, role_of
from richiamo_kit.servers import PostgresServer


async def as_packaged(server: PostgresServer) -> str:
    """Make a running server so; the address of its superuser."""
    url = server.url_of("postgres").replace("//richiamo:", "//postgres:")
    async with await database.connect(server.url_of("postgres"), autocommit=True) as ours:
        await ours.execute("CREATE ROLE postgres SUPERUSER LOGIN")
        await ours.execute(sql.SQL("ALTER ROLE postgres PASSWORD {}").format(sql.Literal(server.password)))
    async with await database.connect(url, autocommit=True) as superuser:
        await superuser.execute("ALTER ROLE richiamo RENAME TO before")
        await superuser.execute("DROP DATABASE richiamo WITH (FORCE)")
        for role in (STAR_ROLE, NUMBERS_ROLE, *map(role_of, USERS)):
            await superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    return url
