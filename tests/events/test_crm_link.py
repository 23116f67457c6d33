"""Can the link to the customer's page be led anywhere else? Only an administrator's host, whatever a caller sends."""

import pytest

from richiamo_events.crm_link import crm_link
from richiamo_events.settings import validate


@pytest.mark.parametrize(
    "template",
    [
        "https://<callernum>/",
        "https://crm.example<queueName>/x",
        "https://crm.example:<callernum>/",
        "https://<called>@crm.example/",
        "//crm.example/",
        "javascript:alert(1)",
        "data:text/html,<callernum>",
        "/relative?<callernum>",
        "tel:<callernum>",
    ],
)
def test_a_template_whose_host_is_not_fixed_is_refused(template: str) -> None:
    assert "link_template" in validate({"link_template": template})


@pytest.mark.parametrize(
    "sent", ["@evil.example/", "//evil.example", "../..", "\\evil", "?x=1#y", "javascript:alert(1)"]
)
def test_nothing_that_a_caller_or_a_pbx_sends_changes_the_host(sent: str) -> None:
    for template in ("https://crm.example/<queueName>", "https://crm.example?q=<queueName>"):
        assert validate({"link_template": template}) == {}
        link = crm_link(template, {"queuename": sent}) or ""
        assert link.startswith("https://crm.example")
        assert not set(link.removeprefix("https://crm.example")[2:]) & set("/\\@:#")
