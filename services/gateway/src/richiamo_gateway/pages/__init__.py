"""What does a person see? The HTML pages; everything they show and do goes through the same questions as the API."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse

from richiamo_gateway.pages.account import routes as account
from richiamo_gateway.pages.account import tokens
from richiamo_gateway.pages.assign import routes as assign
from richiamo_gateway.pages.audit import routes as audit
from richiamo_gateway.pages.behind import routes as behind
from richiamo_gateway.pages.code_caller import routes as code_caller
from richiamo_gateway.pages.dashboard import routes as dashboard
from richiamo_gateway.pages.day import routes as day
from richiamo_gateway.pages.failures.routes import error_page
from richiamo_gateway.pages.flush import routes as flush
from richiamo_gateway.pages.historical import routes as historical
from richiamo_gateway.pages.list_look import routes as list_look
from richiamo_gateway.pages.login import desk, single_sign_on
from richiamo_gateway.pages.login import routes as login
from richiamo_gateway.pages.missed_calls import routes as missed_calls
from richiamo_gateway.pages.problem_titles import title_for as problem_title
from richiamo_gateway.pages.search import routes as search
from richiamo_gateway.pages.settings import pbx
from richiamo_gateway.pages.settings import routes as settings
from richiamo_gateway.pages.style_guide import routes as style_guide
from richiamo_gateway.pages.users import routes as users
from richiamo_gateway.pages.widgets import routes as widgets
from richiamo_gateway.pages.workbooks import routes as workbooks

__all__ = ["error_page", "problem_title", "router"]

router = APIRouter()


@router.get("/")
async def home() -> RedirectResponse:
    """The page on which the work is done."""
    return RedirectResponse("/missed-calls", 303)


for part in (
    login,
    single_sign_on,
    desk,
    search,
    missed_calls,
    account,
    tokens,
    list_look,
    assign,
    flush,
    dashboard,
    day,
    code_caller,
    historical,
    behind,
    workbooks,
    audit,
    users,
    settings,
    pbx,
    widgets,
    style_guide,
):
    router.include_router(part.router)
