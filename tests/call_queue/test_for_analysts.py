"""Do analysts who may see numbers read them, whatever happens to the worklist and to the roles?"""

import pytest
from psycopg import AsyncConnection

from richiamo_kit import database
from richiamo_kit.analysts import NUMBERS_ROLE
from richiamo_queue.worklist.for_analysts import ensure_numbers
from tests.call_queue.view import made

pytestmark = pytest.mark.servers


async def readable(connection: AsyncConnection) -> set[str]:
    """Every table and view of ours that the further role may read."""
    found = await connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND has_schema_privilege(%(role)s, n.oid, 'USAGE') AND has_table_privilege(%(role)s, c.oid, 'SELECT')",
        {"role": NUMBERS_ROLE},
    )
    return {name for (name,) in await found.fetchall()}


async def test_one_view_is_open_to_them_and_comes_back_after_the_worklist_was_made_anew(database_url: str) -> None:
    async with (
        database.make_pool(database_url, most=1) as pool,
        await database.connect(database_url, autocommit=True) as connection,
    ):
        await ensure_numbers(pool)
        assert await readable(connection) == set(), "there is no worklist yet"
        for _ in range(2):
            async with made(database_url) as view:
                await view.projector.catch_up()
            await ensure_numbers(pool)
            await ensure_numbers(pool)
            assert await readable(connection) == {"bi_numbers.dim_caller_number"}
            await connection.execute("DROP SCHEMA view_worklist CASCADE")


async def test_a_role_made_later_may_read_after_the_next_look(database_url: str) -> None:
    async with (
        made(database_url) as view,
        database.make_pool(database_url, most=1) as pool,
        await database.connect(database_url, autocommit=True) as connection,
    ):
        await view.projector.catch_up()
        await connection.execute("ALTER ROLE richiamo_bi_numbers RENAME TO richiamo_bi_numbers_away")
        try:
            await ensure_numbers(pool)
        finally:
            await connection.execute("ALTER ROLE richiamo_bi_numbers_away RENAME TO richiamo_bi_numbers")
        assert await readable(connection) == set()
        await ensure_numbers(pool)
        assert await readable(connection) == {"bi_numbers.dim_caller_number"}
