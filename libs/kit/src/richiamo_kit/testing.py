"""What does a test need? Real servers on free ports, a fresh log and a fresh database (pytest fixtures).

Use it with `pytest_plugins = ["richiamo_kit.testing"]` in `tests/conftest.py`. Fixtures:

- `nats_server` (session): a running `NatsServer` of this test run; `nats_url` (function): its URL, all streams deleted.
- `event_store` (function, async): a `JetStreamEventStore` on empty streams; `memory_store`: its in-memory twin.
- `postgres_url` (session): the server's URL; `database_url` (function): a fresh database;
  `module_database_url` (module): one database a module.
"""
