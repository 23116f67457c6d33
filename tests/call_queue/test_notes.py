"""Is a note kept beside the log, never overwritten unseen, and gone when its customer is erased?"""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from richiamo_events import subjects
from richiamo_events.ids import CallerId, NoteId
from richiamo_events.language import CallerErased, NoteWritten
from richiamo_kit.errors import Problem
from richiamo_kit.store.jetstream import JetStreamEventStore
from richiamo_kit.store.reader import read_stream
from richiamo_kit.store.streams import EVENTS, NOTES
from richiamo_queue.caller.commands import WriteNote
from richiamo_queue.caller.errors import NoteChanged, UnknownCaller
from richiamo_queue.notes.kept import NatsNotes
from richiamo_queue.notes.port import Note
from tests.call_queue.deciding import ROSSI, given
from tests.call_queue.instances import Site, running
from tests.call_queue.log import ANNA, BRUNO, HELP, MONDAY, SALES, missed, operator

N1, N2, NONE = NoteId("n1"), NoteId("n2"), NoteId("")


def writing(note: NoteId, base: NoteId, *, emptied: bool = False) -> WriteNote:
    return WriteNote(by=BRUNO, note=note, base=base, emptied=emptied)


def written(note: NoteId, *, emptied: bool = False) -> NoteWritten:
    return NoteWritten(caller=ROSSI, note=note, by=BRUNO, emptied=emptied)


class TestDeciding:
    def test_the_first_note_and_one_on_top_of_it(self) -> None:
        given(missed(1)).when(writing(N1, NONE)).then(written(N1))
        given(missed(1), written(N1)).when(writing(N2, N1, emptied=True)).then(written(N2, emptied=True))

    def test_a_note_that_somebody_else_wrote_meanwhile_is_not_overwritten(self) -> None:
        given(missed(1), written(N1)).when(writing(N2, NONE)).then_rejects(NoteChanged)

    def test_of_an_erased_caller_nothing_is_written(self) -> None:
        past = given(missed(1), CallerErased(caller=ROSSI, by="root", reason=""))
        past.when(writing(N1, NONE)).then_rejects(UnknownCaller)


@pytest_asyncio.fixture
async def site(event_store: JetStreamEventStore, nats_url: str, database_url: str, data_dir: Path) -> Any:
    async with running(event_store, nats_url, database_url, data_dir, sweeping=False) as made:
        await made.happens(operator("anna", extension="201", name="Anna Bianchi"), operator("bruno", extension="202"))
        yield made


async def lost(site: Site, **more: Any) -> CallerId:
    caller = await site.directory.resolve("+390501234501")
    await site.happens(missed(1, caller=caller, **more))
    return caller


async def stored(site: Site, stream: str) -> list[bytes]:
    return [message.body async for message in read_stream(site.store.client, stream)]


async def note(site: Site, caller: CallerId, by: str = "anna", **user: Any) -> dict[str, Any] | None:
    items = (await site.ask("notes", by, caller_ids=[caller], user=user))["items"]
    return items[0] if items else None


@pytest.mark.servers
class TestOverTheWire:
    async def test_a_note_is_read_by_the_next_and_stands_in_the_history_without_its_text(self, site: Site) -> None:
        caller = await lost(site)
        empty = await note(site, caller)
        assert empty is not None
        assert (empty["text"], empty["version"], empty["by"]) == ("", "", None)
        said = await site.ask("write_note", caller_id=caller, text="Wants the invoice\r\nof March ", version="")
        read = await note(site, caller, "bruno")
        assert read is not None
        assert (read["text"], read["version"]) == ("Wants the invoice\nof March", said["version"])
        assert (read["by"], read["by_name"]) == ("anna", "Anna Bianchi")
        told = await site.ask("timeline", caller_id=caller)
        assert told["note"]["text"] == "Wants the invoice\nof March"
        entry = told["items"][-1] if told["items"][-1]["kind"] == "note_written" else told["items"][0]
        assert (entry["kind"], entry["by_name"]) == ("note_written", "Anna Bianchi")
        assert b"invoice" not in b"".join(await stored(site, EVENTS))

    async def test_two_who_write_at_once_one_is_told_what_the_other_wrote(self, site: Site) -> None:
        caller = await lost(site)

        async def write(who: str) -> object:
            try:
                return await site.ask("write_note", who, caller_id=caller, text=f"from {who}", version="")
            except Problem as problem:
                return problem

        answers = dict(zip(("anna", "bruno"), await asyncio.gather(write("anna"), write("bruno")), strict=True))
        (loser,) = [who for who, answer in answers.items() if isinstance(answer, Problem)]
        (winner,) = {"anna", "bruno"} - {loser}
        refusal = answers[loser]
        assert isinstance(refusal, Problem)
        assert (refusal.status, refusal.type) == (409, "note-changed")
        other: Any = refusal.extra["note"]
        assert other["text"] == f"from {winner}"
        await site.ask("write_note", loser, caller_id=caller, text="both", version=other["version"])
        read = await note(site, caller)
        assert read is not None
        assert read["text"] == "both"
        assert len(await stored(site, NOTES)) == 1, "older texts are overwritten"

    async def test_the_same_writing_sent_twice_is_one(self, site: Site) -> None:
        caller = await lost(site)
        first = await site.ask("write_note", caller_id=caller, text="once", version="", key="k")
        assert await site.ask("write_note", caller_id=caller, text="once", version="", key="k") == first
        kinds = [type(event.data).__name__ async for event in site.store.read(subject=subjects.caller(caller))]
        assert kinds == ["CallMissed", "NoteWritten"]

    async def test_a_text_that_its_writer_died_before_keeping_is_kept_when_it_comes_again(self, site: Site) -> None:
        caller = await lost(site)
        said = await site.ask("write_note", caller_id=caller, text="kept", version="", key="k")
        await site.store.client.jetstream().purge_stream(NOTES)
        async with site.services[0].pool.connection() as connection:
            await connection.execute("DELETE FROM queue.answer")
        again = await site.ask("write_note", caller_id=caller, text="kept", version="", key="k")
        assert again["version"] == said["version"]
        read = await note(site, caller)
        assert read is not None
        assert read["text"] == "kept"

    async def test_erasing_takes_the_note_and_a_late_text_finds_no_place(self, site: Site) -> None:
        caller = await lost(site)
        await site.ask("write_note", caller_id=caller, text="private", version="")
        await site.ask("erase", "root", caller_id=caller)
        read = await note(site, caller)
        assert read is not None
        assert (read["text"], read["by"]) == ("", None)

        async def newest() -> bool:
            return True

        late = Note(version=N2, text="too late", by=ANNA, at=MONDAY)
        await NatsNotes(site.store.client).keep(caller, late, newest)
        assert await stored(site, NOTES) == [b"{}"]
        with pytest.raises(Problem, match="unknown-caller"):
            await site.ask("write_note", caller_id=caller, text="again", version="")

    async def test_who_may_not_see_the_queue_neither_reads_nor_writes(self, site: Site) -> None:
        caller = await lost(site, queue=SALES)
        await site.ask("write_note", caller_id=caller, text="private", version="")
        assert await note(site, caller, queues=[HELP]) is None
        with pytest.raises(Problem, match="unknown-caller"):
            await site.ask("write_note", caller_id=caller, text="x", version="", user={"queues": [HELP]})

    async def test_what_is_no_text_is_refused_in_words(self, site: Site) -> None:
        caller = await lost(site)
        for text in ("\x00", "x" * 2001):
            with pytest.raises(Problem, match="malformed"):
                await site.ask("write_note", caller_id=caller, text=text, version="")
