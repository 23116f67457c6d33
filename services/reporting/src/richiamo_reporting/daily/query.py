"""Can a question be answered from the sums of the days, or does it need the facts themselves?"""

from richiamo_reporting.frame import Frame, Snapshot


async def summed(view: Snapshot, frame: Frame) -> bool:
    """Whether the sums hold the answer: to a question of now, in the time zone in which they are kept.

    What had been recorded by an earlier instant only the facts know.
    """
    if not frame.period.as_of.is_now:
        return False
    kept = await view.all("SELECT zone FROM daily_zone", {})
    return [row["zone"] for row in kept] == [frame.period.zone.key]
