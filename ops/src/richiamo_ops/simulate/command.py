"""How is the simulation started? The function behind `richiamo simulate`."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from richiamo_ops.simulate.desk import Desks, NotStaffed
from richiamo_ops.simulate.history import days_before, import_days
from richiamo_ops.simulate.pbx import Pbx
from richiamo_ops.simulate.people import Scene, scene
from richiamo_ops.simulate.player import play
from richiamo_ops.simulate.script import live
from richiamo_ops.simulate.tally import Tally

_OPERATOR_PASSWORD = "simulazione"  # noqa: S105 -- Users of a play, told in the help text.
_READY_SECONDS = 60.0


def simulate(
    *,
    rate: float = 6.0,
    seed: int = 1,
    days: int = 0,
    calls_per_day: int = 200,
    operators: int = 4,
    duration: float | None = None,
    gateway: str | None = None,
    ingest: str | None = None,
    password: str | None = None,
) -> None:
    """Play a call centre and its PBX against a running Richiamo, until interrupted.

    Calls are lost, customers ring again, operators (created when missing, password "simulazione")
    reserve and ring back, call records come late, out of order and some twice.

    Example: `richiamo simulate --rate 12 --days 30 --seed 7`

    Args:
        rate: Lost calls a minute.
        seed: The same seed plays the same calls, customers and fates.
        days: First import the call records of this many past days.
        calls_per_day: Lost calls on a working day of that history.
        operators: How many operators ring customers back.
        duration: Seconds to play after the history; 0 for the history alone, nothing for endless.
        gateway: Address of the gateway; else by RICHIAMO_GATEWAY_PORT on this machine.
        ingest: Address for the PBX; else by RICHIAMO_INGEST_PORT on this machine.
        password: Password of the user admin; else RICHIAMO_ADMIN_PASSWORD.
    """
    environment = os.environ
    plan = _Plan(
        rate=rate,
        seed=seed,
        days=days,
        calls_per_day=calls_per_day,
        operators=operators,
        duration=duration,
        gateway=gateway or f"http://127.0.0.1:{environment.get('RICHIAMO_GATEWAY_PORT', '8080')}",
        ingest=ingest or f"http://127.0.0.1:{environment.get('RICHIAMO_INGEST_PORT', '8081')}",
        password=password or environment.get("RICHIAMO_ADMIN_PASSWORD", ""),
        pbx_login=(
            environment.get("RICHIAMO_PBX_USER", ""),
            environment.get("RICHIAMO_PBX_PASSWORD", ""),
        ),
        zone=ZoneInfo(environment.get("RICHIAMO_SITE_TIMEZONE", "Europe/Rome")),
    )
    if rate <= 0 or operators < 1 or days < 0:
        raise SystemExit("--rate must be above 0, --operators at least 1 and --days not below 0.")
    if not plan.password and plan.plays_live:
        raise SystemExit("Give the administrator's password with --password or RICHIAMO_ADMIN_PASSWORD.")
    console = Console()
    tally = Tally()
    try:
        asyncio.run(_run(plan, console, tally))
    except NotStaffed as problem:
        raise SystemExit(str(problem)) from None
    except KeyboardInterrupt:
        console.print("Stopped.")
    console.print(tally.table("The simulation in numbers"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    rate: float
    seed: int
    days: int
    calls_per_day: int
    operators: int
    duration: float | None
    gateway: str
    ingest: str
    password: str
    pbx_login: tuple[str, str]
    zone: ZoneInfo

    @property
    def plays_live(self) -> bool:
        return self.duration is None or self.duration > 0


async def _run(plan: _Plan, console: Console, tally: Tally) -> None:
    who = scene(plan.seed, operator_count=plan.operators)
    async with AsyncExitStack() as stack:
        user, secret = plan.pbx_login
        auth = httpx.BasicAuth(user, secret) if user else None
        edge = await stack.enter_async_context(httpx.AsyncClient(base_url=plan.ingest, auth=auth, timeout=30.0))
        api = await stack.enter_async_context(httpx.AsyncClient(base_url=plan.gateway, timeout=10.0))
        await _until_ready(edge)
        await _until_ready(api)
        pbx = Pbx(edge, tally, plan.zone)
        if plan.days:
            await _history(plan, who, pbx, console)
        if plan.plays_live:
            desks = Desks(api, tally)
            await desks.staff(plan.password, who.operators, _OPERATOR_PASSWORD)
            await _live(plan, who, (pbx, desks), console, tally)


async def _history(plan: _Plan, who: Scene, pbx: Pbx, console: Console) -> None:
    today = datetime.now(plan.zone).date()
    columns = (
        TextColumn("Importing days"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=plan.days)
        await import_days(
            pbx,
            who,
            plan.seed,
            days_before(today, plan.days),
            zone=plan.zone,
            calls_per_day=plan.calls_per_day,
            on_day=lambda day: progress.update(task, advance=1, description=day.isoformat()),
        )


async def _live(plan: _Plan, who: Scene, stage: tuple[Pbx, Desks], console: Console, tally: Tally) -> None:
    pbx, desks = stage
    begins = datetime.now(UTC).replace(microsecond=0)
    until = None if plan.duration is None else begins + timedelta(seconds=plan.duration)
    steps = live(plan.seed, who, begins, rate=plan.rate)

    def shown() -> RenderableType:
        return tally.table(f"{plan.rate:g} lost calls a minute, Ctrl+C ends it")

    if not console.is_terminal:
        await play(steps, pbx, desks, until=until)
        return
    with Live(get_renderable=shown, console=console, refresh_per_second=2, transient=True):
        await play(steps, pbx, desks, until=until)


async def _until_ready(client: httpx.AsyncClient) -> None:
    """Wait for a server that is just starting; after a minute say so and give up."""
    deadline = time.monotonic() + _READY_SECONDS
    answer = ""
    while time.monotonic() < deadline:
        answer = await _readiness(client)
        if not answer:
            return
        await asyncio.sleep(0.25)
    raise NotStaffed(f"{client.base_url} is not ready after a minute: {answer}.")


async def _readiness(client: httpx.AsyncClient) -> str:
    """Empty when the server is ready, else what is wrong in words."""
    try:
        response = await client.get("/readyz")
    except httpx.TransportError:
        return "nobody answers"
    return "" if response.is_success else f"it answers {response.status_code} {response.text[:200]}"
