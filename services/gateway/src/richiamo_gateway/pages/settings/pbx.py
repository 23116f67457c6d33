"""Is the PBX set up right, and how does the poll go? What the other services found, in the reader's words."""

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from richiamo_gateway.api.parameters import GatewayOf
from richiamo_gateway.auth.access import Admin
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import Gateway
from richiamo_gateway.pages.language import N_, Language
from richiamo_gateway.pages.rendering import formats_for, language_for
from richiamo_gateway.pages.settings.fields import SETTINGS
from richiamo_gateway.pages.settings.values import same_lines, sentence
from richiamo_kit.errors import Problem, Unavailable

router = APIRouter(prefix="/settings/pbx")

_TESTED = ("pbx_url", "pbx_domain", "pbx_timezone", "cdr_user", "dial_how")
_PATIENCE = 30.0
_A_MOMENT = 3.0

Line = dict[str, object]

_TROUBLES = {
    "not_set_up": N_(
        "The PBX's address, the user or the password for call records (RICHIAMO_CDR_PASSWORD) is missing."
    ),
    "address": N_("The address of the PBX is no address: write https:// and its host."),
    "unreachable": N_("The PBX cannot be reached: check its address, the network and the firewall."),
    "certificate": N_("The PBX's certificate is not trusted: name its file in RICHIAMO_PBX_CA_FILE."),
    "slow": N_("The PBX takes too long to answer."),
    "no_kalliope": N_("At this address something else than a Kalliope answers: it tells no salt for the log-in."),
    "domain": N_("The PBX knows no domain %(domain)s: check the domain."),
    "clock": N_("The clock of the PBX is %(minutes)s minutes off: set both clocks by NTP."),
    "credentials": N_("The PBX refuses user or password."),
    "rights": N_("The PBX knows the user but gives it no right to do this: give it that right on the PBX."),
    "refused": N_("The PBX refused the request (HTTP %(status)s)."),
    "too_large": N_("The PBX answered more call records than can be taken at once."),
    "unreadable": N_("The PBX's answer cannot be read."),
    "masked": N_("The PBX hides the last digits of its numbers (xxx): give the user the right to see whole numbers."),
    "ami_not_set_up": N_("No AMI is named: set RICHIAMO_AMI_HOST and RICHIAMO_AMI_SECRET_FILE and start again."),
    "no_ami": N_("No AMI answers at RICHIAMO_AMI_HOST: check its address, its port and the firewall."),
    "not_kept": N_("The PBX answered, but Richiamo could not keep the call records: its log says why."),
    "timezone": N_("The PBX's times are %(hours)s hours off: its time zone is not %(timezone)s."),
}
_OTHERWISE = N_("The PBX could not be tested.")
_AWAY = N_("A part of Richiamo does not answer at the moment")
_RECORDS = N_("Call records")
_DIALLING = N_("Click to call")


@router.post("/test")
async def test(request: Request, gateway: GatewayOf, user: Admin) -> JSONResponse:
    """Tests what the form holds, saved or not: `{"lines": [{"ok", "text"}]}`, one a purpose."""
    form = await request.form()
    typed = {name: same_lines(str(form[name])) for name in _TESTED if name in form}
    language = language_for(request, user)
    by_ami = typed.get("dial_how") == "ami"
    # A site with an Asterisk has no Kalliope that could be asked for its records.
    tests = {} if by_ami and not typed.get("pbx_url") else {_RECORDS: "richiamo.ingest.test_pbx"}
    if by_ami or typed.get("dial_how") == "kalliope":
        tests[_DIALLING] = "richiamo.queue.test_dialling"
    answers = await asyncio.gather(*(_asked(gateway, user, language, subject, typed) for subject in tests.values()))
    return JSONResponse({"lines": [_line(language, *one) for one in zip(tests, answers, strict=True)]})


@router.get("/poll")
async def poll(request: Request, gateway: GatewayOf, user: Admin) -> JSONResponse:
    """How the poll goes: the same shape; no line while it is off or nobody can tell."""
    language = language_for(request, user)
    try:
        state = await gateway.ask("richiamo.ingest.poll", user, timeout=_A_MOMENT)
    except (Unavailable, Problem):
        return JSONResponse({"lines": []})
    if not state["on"]:
        return JSONResponse({"lines": []})
    formats = formats_for(request, language)
    if state["trouble"]:
        text = language(
            N_("No records since %(time)s. %(words)s"),
            time=formats.full(state["failing_since"]),
            words=_words(language, state),
        )
        return JSONResponse({"lines": [{"ok": False, "text": text}]})
    if not state["through"]:
        return JSONResponse({"lines": [{"ok": True, "text": language(N_("The first records are still to be read."))}]})
    text = language(N_("Records are read up to %(time)s."), time=formats.full(state["through"]))
    return JSONResponse({"lines": [{"ok": True, "text": text}]})


async def _asked(
    gateway: Gateway, user: User, language: Language, subject: str, typed: Mapping[str, str]
) -> dict[str, Any]:
    try:
        return await gateway.ask(subject, user, timeout=_PATIENCE, settings=dict(typed))
    except Unavailable:
        return {"ok": False, "text": language(_AWAY)}
    except Problem as refused:
        wrong = refused.extra.get("errors")
        names = [name for name in wrong if name in SETTINGS] if isinstance(wrong, Mapping) else []
        told = [f"{language(SETTINGS[name].label)}: {sentence(SETTINGS[name], language)}" for name in names]
        return {"ok": False, "text": " ".join(told) or language(_OTHERWISE)}


def _line(language: Language, title: str, answer: Mapping[str, Any]) -> Line:
    return {"ok": bool(answer["ok"]), "text": f"{language(title)}: {_words(language, answer)}"}


def _words(language: Language, answer: Mapping[str, Any]) -> str:
    if "text" in answer:
        return str(answer["text"])
    values = answer.get("values") or {}
    if answer.get("trouble"):
        return language(_TROUBLES.get(answer["trouble"], _OTHERWISE), **values)
    if "calls" not in values:
        return language(N_("the PBX lets the user in."))
    if not values["calls"]:
        return language(N_("the PBX lets the user in, but recorded no call in the last day: try again after one."))
    return language(N_("all is well, the numbers are whole. Calls read: %(calls)s."), **values)
