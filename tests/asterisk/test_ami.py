"""Does the client of the AMI log in, act at most once, hear, and let nobody slip in a line?"""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from richiamo_kit.ami import AmiAccount, AmiLost, AmiRefused, LoginRefused, connected, render
from tests.asterisk.pbx import AsteriskPbx, User, abandon, running


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[AsteriskPbx]:
    async with running(AsteriskPbx()) as served:
        yield served


def account(pbx: AsteriskPbx, secret: str = "ami secret", *, plain: bool = False, within: float = 5.0) -> AmiAccount:
    return AmiAccount(
        host="127.0.0.1",
        port=pbx.port,
        username="richiamo",
        secret=secret,
        login="plain" if plain else "md5",
        timeout_seconds=within,
    )


class TestLogin:
    @pytest.mark.parametrize("plain", [True, False])
    async def test_it_logs_in(self, pbx: AsteriskPbx, *, plain: bool) -> None:
        async with connected(account(pbx, plain=plain)) as connection:
            assert (await connection.act("Ping"))["ping"] == "Pong"
        assert ("Challenge" in pbx.actions) is not plain

    @pytest.mark.parametrize("plain", [True, False])
    async def test_a_wrong_secret_is_refused_in_words(self, pbx: AsteriskPbx, *, plain: bool) -> None:
        with pytest.raises(LoginRefused, match="Authentication failed"):
            async with connected(account(pbx, "wrong", plain=plain)):
                pass

    async def test_the_secret_is_never_sent_instead_of_a_challenge(self, pbx: AsteriskPbx) -> None:
        pbx.trouble.no_challenge = True
        with pytest.raises(LoginRefused):
            async with connected(account(pbx)):
                pass
        assert "Login" not in pbx.actions

    async def test_the_secret_is_not_shown(self, pbx: AsteriskPbx) -> None:
        assert "ami secret" not in repr(account(pbx))

    async def test_what_is_no_ami_is_named(self, pbx: AsteriskPbx) -> None:
        pbx.trouble.banner = "SSH-2.0-OpenSSH_9.6"
        with pytest.raises(AmiLost, match="is no AMI"):
            async with connected(account(pbx)):
                pass

    async def test_who_does_not_greet_is_not_waited_for(self) -> None:
        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(AmiLost, match="does not greet"):
            async with connected(AmiAccount(host="127.0.0.1", port=port, username="a", secret="", timeout_seconds=0.2)):
                pass
        silent.close()

    async def test_nobody_there_is_said(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(AmiLost, match="No AMI answers"):
            async with connected(AmiAccount(host="127.0.0.1", port=port, username="a", secret="")):
                pass


class TestActing:
    async def test_a_refusal_is_the_pbxs_own_word(self, pbx: AsteriskPbx) -> None:
        async with connected(account(pbx)) as connection:
            with pytest.raises(AmiRefused, match="unknown command"):
                await connection.act("Nonsense")

    async def test_a_cut_connection_is_lost_and_nothing_is_repeated(self, pbx: AsteriskPbx) -> None:
        pbx.trouble.cut_after = "Originate"
        async with connected(account(pbx)) as connection:
            with pytest.raises(AmiLost):
                await connection.act("Originate", [("Channel", "Local/1@a")])
        assert pbx.actions.count("Originate") == 1

    async def test_an_answer_that_does_not_come_is_waited_for_a_while(self, pbx: AsteriskPbx) -> None:
        pbx.trouble.silent_after = "Ping"
        async with connected(account(pbx, within=0.3)) as connection:
            with pytest.raises(AmiLost, match="did not answer Ping"):
                await connection.act("Ping")

    async def test_nonsense_between_messages_is_no_answer(self, pbx: AsteriskPbx) -> None:
        pbx.trouble.garbage_before_answers = b"\r\n\xff\xfe nothing\r\nResponse\r\n: x\r\n\r\nEvent: Odd\r\n\r\n"
        async with connected(account(pbx)) as connection:
            assert (await connection.act("Ping"))["ping"] == "Pong"
            heard = await connection.event(1.0)
            assert heard is not None

    async def test_a_line_without_an_end_ends_the_connection(self, pbx: AsteriskPbx) -> None:
        async with connected(account(pbx)) as connection:
            pbx.trouble.garbage_before_answers = b"x" * 200_000
            with pytest.raises(AmiLost, match="without an end"):
                await connection.act("Ping")

    async def test_events_before_an_answer_are_heard_after_it(self, pbx: AsteriskPbx) -> None:
        async with connected(account(pbx), events="agent") as connection:
            await abandon(pbx, "1772442000.1", "0501234567")
            await connection.act("Ping")
            heard = [await connection.event(1.0) for _ in range(3)]
        assert [message and message["event"] for message in heard] == [
            "QueueCallerJoin",
            "QueueCallerAbandon",
            "QueueCallerLeave",
        ]

    async def test_half_an_event_is_not_lost_by_a_wait_that_ended(self, pbx: AsteriskPbx) -> None:
        async with connected(account(pbx), events="agent") as connection:
            writer = pbx.sessions[0].writer
            writer.write(b"Event: QueueCallerAbandon\r\nUniqueid: 17")
            assert await connection.event(0.2) is None
            writer.write(b"72442000.1\r\n\r\n")
            assert await connection.event(5.0) == {"event": "QueueCallerAbandon", "uniqueid": "1772442000.1"}

    async def test_what_the_user_may_not_hear_is_not_heard(self, pbx: AsteriskPbx) -> None:
        pbx.users["richiamo"] = User("ami secret", read=frozenset({"cdr"}))
        async with connected(account(pbx), events="agent,cdr") as connection:
            await abandon(pbx, "1772442000.1", "0501234567")
            assert await connection.event(0.2) is None


class TestInjection:
    @given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40), st.text(max_size=40))
    def test_no_value_becomes_a_line_of_its_own(self, value: str, name: str) -> None:
        try:
            sent = render([("Action", "Ping"), (name, value)])
        except ValueError:
            return
        lines = sent.decode().splitlines()
        assert lines == ["Action: Ping", f"{name}: {value}", ""]

    @pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0", "\x0b", "\x0c", "\x85", "\u2028", "\x1c"])
    async def test_nothing_is_sent_when_a_value_holds_a_lines_end(self, pbx: AsteriskPbx, end: str) -> None:
        async with connected(account(pbx)) as connection:
            before = list(pbx.actions)
            with pytest.raises(ValueError, match="cannot be sent"):
                await connection.act("Originate", [("Exten", f"050{end}Action: Originate")])
            await connection.act("Ping")
        assert pbx.actions == [*before, "Ping"]
