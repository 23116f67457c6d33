"""Where does the customer's page in the company's own system lie? The link template, filled in."""

import re
from collections.abc import Mapping
from urllib.parse import quote

_PLACEHOLDER = re.compile(r"<(\w+)>")


def crm_link(template: str, values: Mapping[str, str]) -> str | None:
    """The template with each `<placeholder>` replaced by its URL-encoded value; None without a template.

    A placeholder that nothing is known for becomes empty; names are matched without regard to case.
    """
    if not template:
        return None
    known = {name.lower(): value for name, value in values.items()}
    return _PLACEHOLDER.sub(lambda found: quote(known.get(found[1].lower(), ""), safe=""), template)
