"""How is the page for analysts written? From the catalogue itself: `make docs` prints it into `docs/bi.md`."""

from collections.abc import Iterator

from richiamo_reporting.bi.catalogue import VIEWS
from richiamo_reporting.bi.questions import QUESTIONS

_HEAD = """# Richiamo for analysts

<!-- Written by `make docs` from the catalogue in services/reporting; do not edit. -->

The schema `bi` of Richiamo's PostgreSQL holds a star of views: facts and dimensions with names that stay. **A column is
never renamed or retyped inside a major version**; new ones may come. Instants are UTC (`timestamptz`), and beside each
stands the site's day (`local_date`), which is 23 or 25 hours long twice a year. The views show what is known now; what
was known then is asked of the reports with `as_of`.

## How to connect

The role `richiamo_bi` may read these views and nothing else. It cannot log in by itself: make a user of your own that
belongs to it, with the role's limits (ten connections, a minute a query, read-only).

```sql
CREATE ROLE analyst LOGIN PASSWORD 'choose one' CONNECTION LIMIT 10 IN ROLE richiamo_bi;
ALTER ROLE analyst SET statement_timeout = '60s';
ALTER ROLE analyst SET default_transaction_read_only = on;
```

Callers are opaque ids. Whoever may see phone numbers is also given `richiamo_bi_numbers`, which opens one more view,
`bi_numbers.dim_caller_number`: `caller_id` and `number` of the customers that ever lost a call and were not erased.

```sql
GRANT richiamo_bi_numbers TO analyst;
```

How fresh the views are: `SELECT * FROM bi.freshness`.
"""


def guide() -> str:
    """The whole page, in Markdown."""
    return "\n".join([_HEAD, *_views(), *_questions()])


def _views() -> Iterator[str]:
    yield "## The views\n"
    for view in VIEWS:
        yield f"### {view.name}\n\n{view.comment}\n"
        yield "| Column | Meaning |\n|---|---|"
        for column, meaning in view.columns:
            yield f"| `{column}` | {meaning} |"
        yield ""


def _questions() -> Iterator[str]:
    yield "## Ten worked questions\n"
    yield "Each answers what a page of Richiamo answers, to the digit; a test runs them all.\n"
    for nth, worked in enumerate(QUESTIONS, start=1):
        yield f"### {nth}. {worked.question}\n\nThe same as: {worked.report}.\n\n```sql\n{worked.query}\n```\n"


if __name__ == "__main__":
    print(guide(), end="")  # noqa: T201 -- This is a program that prints.
