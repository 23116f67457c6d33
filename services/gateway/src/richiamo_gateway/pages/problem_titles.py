"""What is a refusal called in the language of whoever is refused? One title for each type of problem."""

from starlette.requests import Request

from richiamo_gateway.auth.access import cookie_name
from richiamo_gateway.auth.user import User
from richiamo_gateway.pages.language import N_, SOURCE, language_of, named
from richiamo_gateway.pages.script_texts import problem_title
from richiamo_kit.errors import Problem

TITLES = {
    "not-logged-in": N_("Log in first"),
    "wrong-credentials": N_("User name or password is wrong."),
    "too-many-tries": N_("Too many failed logins under this name"),
    "scope-missing": N_("This token may not do this"),
    "not-found": N_("There is nothing here"),
    "method-not-allowed": N_("This cannot be done this way"),
    "too-large": N_("The request is too large"),
    "unsupported-media-type": N_("The request has a form that is not read here"),
    "foreign-origin": N_("This request came from another site"),
    "malformed": N_("Something is not right in the request"),
    "invalid-parameter": N_("This cannot be asked"),
    "rejected": N_("This is not possible now"),
    "unknown-flush": N_("There is no such flush"),
    "too-many": N_("These are too many at once"),
    "too-many-views": N_("This list has as many views as it may"),
    "too-many-workbooks": N_("There are as many workbooks as one user may have"),
    "workbook-not-ready": N_("The workbook is not ready"),
    "workbook-too-large": N_("This workbook is too large for one answer"),
    "rights-changed": N_("Your rights have changed"),
    "note-changed": N_("Somebody else wrote this note meanwhile"),
    "not-yours": N_("This board belongs to somebody else"),
    "unexpected": N_("Something went wrong"),
    "internal-error": N_("Something went wrong"),
}


def title_for(request: Request, problem: Problem) -> str:
    """The title in the user's language for a browser that is logged in, else in the first of `Accept-Language`.

    Who asks in English, or for nothing we have, gets the title as it was written, which may name values.
    """
    user: User | None = getattr(request.state, "user", None)
    by_cookie = user is not None and cookie_name(request) in request.cookies
    code = user.language if user is not None and by_cookie else named(request.headers.get("accept-language", ""))
    if code is None or code == SOURCE:
        return problem.title
    language = language_of(code)
    kind = problem.type.rpartition("/")[2]
    return language(TITLES[kind]) if kind in TITLES else problem_title(kind, language, problem.title)
