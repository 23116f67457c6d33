"""What is missing, and what can one do now? The page for 403, 404 and every other refusal."""

import structlog
from starlette.requests import Request
from starlette.responses import Response

from richiamo_gateway.auth.access import optional_user
from richiamo_gateway.auth.user import User
from richiamo_gateway.pages.language import N_
from richiamo_gateway.pages.rendering import language_for, render
from richiamo_gateway.pages.script_texts import problem_title
from richiamo_kit.errors import Problem

_log = structlog.get_logger(__name__)

_TITLES = {
    403: N_("You may not see this"),
    404: N_("There is nothing here"),
    405: N_("This cannot be done this way"),
    409: N_("This is not possible now"),
    422: N_("Something is not right in the request"),
    429: N_("Too many tries"),
    503: N_("A part of Richiamo does not answer at the moment"),
}
_ADVICE = {
    403: N_("Ask an administrator for the right, or go back to your list."),
    404: N_("The address may be mistyped, or the customer was closed or erased."),
    503: N_("Nothing is lost. Try again in a moment."),
}
_OTHERWISE = N_("Nothing was changed. Try again, or go back to your list.")
_BY_TYPE = {
    "unknown-caller": (
        N_("This customer is not here"),
        N_("The number was erased, or it never called, or it called only queues that you do not see."),
    ),
    "not-yours": (N_("This belongs to somebody else"), N_("Only its owner can change it; you can make your own.")),
    "foreign-origin": (
        N_("This came from another site"),
        N_("Nothing was changed. Open Richiamo itself and try there."),
    ),
}
"""What is known better than by the status alone: the title, and what to do."""
_NEEDS = {
    "operator": N_("This needs the role operator."),
    "supervisor": N_("This needs the role supervisor."),
    "admin": N_("This needs the role administrator."),
}


async def error_page(request: Request, problem: Problem) -> Response:
    """A page that says what is missing, in the person's language when they are known."""
    user = await _person(request)
    language = language_for(request, user)
    title, advice = _BY_TYPE.get(problem.type, (_TITLES.get(problem.status), _ADVICE.get(problem.status, _OTHERWISE)))
    needs = _NEEDS.get(str(problem.extra.get("needs")), "")
    return render(
        request,
        user,
        "failures/page.html",
        status=problem.status,
        code=problem.status,
        title=language(title) if title else problem_title(problem.type, language, language(N_("Something went wrong"))),
        needs=language(needs) if needs else "",
        advice=language(advice),
    )


async def _person(request: Request) -> User | None:
    try:
        return await optional_user(request)
    except Exception as error:
        _log.warning("error_page_without_person", error=str(error))
        return None
