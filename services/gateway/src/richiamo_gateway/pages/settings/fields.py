"""Which settings are there, in which section, and what does each mean? The settings page in data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from richiamo_gateway.pages.language import N_

Kind = Literal["whole", "seconds", "flag", "choice", "text", "lines", "pairs"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the page."""

    name: str
    kind: Kind
    label: str
    meaning: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    name: str
    title: str
    settings: tuple[Setting, ...]


_DIAL = {"link": N_("A link the browser opens"), "kalliope": N_("The Kalliope PBX dials"), "ami": N_("Asterisk dials")}
_AMI = {"asterisk": N_("Asterisk or FreePBX"), "kalliope": N_("Kalliope")}
_VERBS = {"GET": "GET", "POST": "POST"}

SECTIONS = (
    Section(
        "recalls",
        N_("Reservations and recalls"),
        (
            Setting(
                "success_threshold_seconds",
                "seconds",
                N_("A recall succeeds when the talk is longer than (seconds)"),
                N_("Calls of the past keep the rule of their time."),
            ),
            Setting("reservation_minutes", "whole", N_("A reservation ends after (minutes)")),
            Setting(
                "assignment_minutes",
                "whole",
                N_("An assignment ends after (minutes)"),
                N_("0: never by itself."),
            ),
            Setting(
                "cooldown_minutes",
                "whole",
                N_("Hide a customer who was called in vain for (minutes)"),
            ),
            Setting(
                "record_minutes",
                "whole",
                N_("Wait for the record of a recall (minutes)"),
                N_("When none has come by then, the row comes back; that is no attempt."),
            ),
            Setting(
                "age_limit_hours",
                "whole",
                N_("A request is late after (hours)"),
                N_("Counted from its first call; every list marks it."),
            ),
            Setting("close_after_days", "whole", N_("Close requests by themselves after (days)"), N_("0: never.")),
            Setting("ignore_waits_under_seconds", "seconds", N_("Leave out who hung up within (seconds)")),
            Setting("import_checktime", "flag", N_("Calls outside the PBX's hours are missed calls too")),
            Setting("settle_minutes", "whole", N_("Figures of a day are settled after (minutes)")),
        ),
    ),
    Section(
        "availability",
        N_("Availability"),
        (
            Setting(
                "availability_minutes",
                "whole",
                N_("A good moment lies around the last call by (minutes)"),
                N_("Before and after the time of day at which the customer last called."),
            ),
            Setting(
                "opening_hours",
                "text",
                N_("Opening hours"),
                N_(
                    "Such as mon-fri 09:00-13:00 14:00-18:00; sat 09:00-12:00. Outside of them no moment is a good one."
                ),
            ),
        ),
    ),
    Section(
        "numbers",
        N_("Numbers and queues"),
        (
            Setting("country", "text", N_("Country"), N_("Of numbers without a prefix, such as IT.")),
            Setting("outside_prefix", "text", N_("Prefix for an outside line")),
            Setting("records_show_prefix", "flag", N_("Call records show that prefix")),
            Setting("internal_digits", "whole", N_("Internal numbers have at most (digits)")),
            Setting(
                "number_rewrites",
                "lines",
                N_("Rules that put numbers right"),
                N_(
                    "One a line, the first that fits counts: 0039. = +39. or 8XXX = 050800XXX. X is any digit, "
                    "a dot at the end is the rest."
                ),
            ),
            Setting("operator_extensions", "lines", N_("Extensions of operators"), N_("One a line.")),
            Setting(
                "queue_aliases",
                "pairs",
                N_("Other names of queues"),
                N_("One a line: other name = name in the records."),
            ),
        ),
    ),
    Section(
        "pbx",
        N_("PBX"),
        (
            Setting("accept_value", "text", N_("Answer for a call that was taken")),
            Setting("refuse_value", "text", N_("Answer for a call that could not be read")),
            Setting("dial_how", "choice", N_("Who dials a recall"), choices=_DIAL),
            Setting("pbx_url", "text", N_("Address of the PBX")),
            Setting("pbx_domain", "text", N_("Domain on the PBX")),
            Setting("dial_verb", "choice", N_("Method of the dial request"), choices=_VERBS),
            Setting("ami_variant", "choice", N_("Whose AMI it is"), choices=_AMI),
            Setting(
                "ami_channel",
                "text",
                N_("AMI: channel that rings first"),
                N_("Such as Local/{extension}@originate-skipvm. Empty: the usual one."),
            ),
            Setting("ami_context", "text", N_("AMI: context of the call"), N_("Empty: the usual one.")),
            Setting("ami_tenant", "text", N_("AMI: the tenant's UUID"), N_("Of a Kalliope with several tenants.")),
            Setting(
                "pbx_timezone",
                "text",
                N_("Time zone of the PBX"),
                N_("Of the times in its call records. Empty: that of the site."),
            ),
            Setting(
                "pbx_name",
                "text",
                N_("Name of the PBX"),
                N_("The name that its calls carry; leave it at main when there is one PBX."),
            ),
            Setting(
                "cdr_poll",
                "flag",
                N_("Ask the PBX for its call records"),
                N_("So that no call is missing, also after a failure. The password is RICHIAMO_CDR_PASSWORD."),
            ),
            Setting("cdr_user", "text", N_("User for call records"), N_("One with the right to see whole numbers.")),
            Setting("cdr_poll_seconds", "whole", N_("Ask every (seconds)"), N_("300 is usual, 60 the least.")),
            Setting(
                "cdr_overlap_minutes",
                "whole",
                N_("Read again each time (minutes)"),
                N_("Longer than the longest call: a record appears when its call ends."),
            ),
        ),
    ),
    Section(
        "link",
        N_("Link to the CRM"),
        (
            Setting(
                "link_template",
                "text",
                N_("Template of the link"),
                N_("Placeholders: <callernum> <extenNum> <queueName> <uid> <called>. Empty: no link."),
            ),
        ),
    ),
    Section(
        "site",
        N_("Site"),
        (
            Setting("timezone", "text", N_("Time zone"), N_("Days begin and end by it, such as Europe/Rome.")),
            Setting(
                "operators_as_numbers",
                "flag",
                N_("Show operators as numbers in reports and histories"),
                N_("Each sees only their own name. The list of today shows names: people must know who holds a row."),
            ),
            Setting("retention_days", "whole", N_("Keep raw records for (days)")),
        ),
    ),
)
SETTINGS = {setting.name: setting for section in SECTIONS for setting in section.settings}
