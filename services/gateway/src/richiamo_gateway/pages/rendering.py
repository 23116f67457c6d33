"""How does a page become HTML? One Jinja environment a language, everything escaped, nothing undefined."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from richiamo_gateway import built
from richiamo_gateway.auth.user import User
from richiamo_gateway.context import gateway_of
from richiamo_gateway.pages.as_of import as_of, others, without
from richiamo_gateway.pages.formats import Formats, instant_of, shown_number
from richiamo_gateway.pages.language import NAMES, Language, language_of, preferred
from richiamo_gateway.pages.navigation import has_past, places_for
from richiamo_gateway.pages.script_texts import script_texts
from richiamo_kit.further_languages import figure

PAGES = Path(__file__).parent


@cache
def environment(code: str) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(language_of(code).texts, newstyle=True)  # type: ignore[attr-defined]
    made.filters["number"] = shown_number
    made.globals.update(asset=built.address, languages=NAMES)
    made.globals["meaning"] = lambda name, section="": figure(name, code, section)
    return made


def language_for(request: Request, user: User | None) -> Language:
    """The user's own language; before the log-in that of the browser, or `?lang=`."""
    if user is not None:
        return language_of(user.language)
    return language_of(request.query_params.get("lang") or preferred(request.headers.get("accept-language", "")))


def formats_for(request: Request, language: Language) -> Formats:
    gateway = gateway_of(request)
    past = instant_of(as_of(request)) if has_past(request.url.path) else None
    return Formats(language, gateway.site.settings.zone, past or gateway.clock.now())


def _past(request: Request, formats: Formats) -> dict[str, Any] | None:
    """What the control of the header shows, on pages that can show the past."""
    if not has_past(request.url.path):
        return None
    at = as_of(request)
    return {
        "at": at,
        "field": formats.now.astimezone(formats.zone).strftime("%Y-%m-%dT%H:%M"),
        "others": others(request),
        "now": without(request),
    }


def render(request: Request, user: User | None, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for `user`, None for a stranger."""
    language = language_for(request, user)
    formats = formats_for(request, language)
    html = (
        environment(language.code)
        .get_template(template)
        .render(
            user=user,
            language=language.code,
            places=places_for(user) if user else [],
            path=request.url.path,
            past=_past(request, formats),
            f=formats,
            now=formats.now.isoformat(),
            zone=formats.zone.key,
            opening=gateway_of(request).site.settings.opening.by_day(),
            script_texts=script_texts(language),
            **context,
        )
    )
    return HTMLResponse(html, status, headers={"Content-Language": language.code})
