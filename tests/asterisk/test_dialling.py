"""Does an Asterisk ring both phones, once, and is it told when it does not? Against a server that speaks AMI."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from richiamo_events.ids import DialId
from richiamo_events.settings import SiteSettings, validate
from richiamo_kit.ami import AmiAccount, AmiRefused
from richiamo_queue.dialling.ami import AmiDialler, Plan, living
from richiamo_queue.dialling.port import DialFailed, Dialled
from richiamo_queue.dialling.spelling import as_typed
from tests.asterisk.pbx import ANSWERED, BUSY, NO_ANSWER, NO_SUCH_EXTENSION, AsteriskPbx, User, running

DIAL = DialId("0f0e0d0c0b0a09080706050403020100")
TENANT = "2f1c7a0e-54a7-5d0c-9a55-2f6f1f8a2b11"
NUMBER = "+390501234567"


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[AsteriskPbx]:
    async with running(AsteriskPbx()) as served:
        yield served


def account(pbx: AsteriskPbx, secret: str = "ami secret") -> AmiAccount:
    return AmiAccount(host="127.0.0.1", port=pbx.port, username="richiamo", secret=secret, timeout_seconds=0.6)


def dialler(pbx: AsteriskPbx, secret: str = "ami secret", /, **site: object) -> AmiDialler:
    plan = Plan.of(SiteSettings().with_values(site))
    return AmiDialler(account(pbx, secret), plan, lambda number: as_typed(number, country="IT", outside_prefix="0"))


async def ended(dialled: Dialled) -> None:
    assert dialled.later is not None
    async with asyncio.timeout(60):
        await dialled.later


class TestAsterisk:
    async def test_the_operators_phone_rings_first_and_the_call_has_our_id(self, pbx: AsteriskPbx) -> None:
        assert await dialler(pbx).dial(NUMBER, "201", DIAL) == Dialled("ami")
        (asked,) = pbx.originated
        assert asked["channel"] == ["Local/201@originate-skipvm"]
        assert (asked["context"], asked["exten"], asked["priority"]) == (["from-internal"], ["00501234567"], ["1"])
        assert (asked["channelid"], asked["otherchannelid"]) == ([DIAL], [f"{DIAL}-2"])
        assert asked["callerid"] == ["201"]
        assert asked["async"] == ["true"]
        assert int(asked["timeout"][0]) >= 10_000

    async def test_channel_and_context_are_settings(self, pbx: AsteriskPbx) -> None:
        await dialler(pbx, ami_channel="PJSIP/{extension}", ami_context="uscita").dial(NUMBER, "201", DIAL)
        (asked,) = pbx.originated
        assert (asked["channel"], asked["context"]) == (["PJSIP/201"], ["uscita"])

    @pytest.mark.parametrize(
        ("reason", "words"), [(NO_ANSWER, "Nobody took up"), (BUSY, "busy"), (NO_SUCH_EXTENSION, "cannot reach"), ("77", "could not ring")]
    )  # fmt: skip
    async def test_a_phone_that_cannot_ring_is_told_at_once(self, pbx: AsteriskPbx, reason: str, words: str) -> None:
        pbx.outcome = reason
        with pytest.raises(DialFailed, match=words):
            await dialler(pbx).dial(NUMBER, "201", DIAL)

    async def test_a_phone_that_is_not_taken_up_is_told_later(self, pbx: AsteriskPbx) -> None:
        pbx.outcome = ""
        dialled = await dialler(pbx).dial(NUMBER, "201", DIAL)
        await pbx.originate_response({**pbx.originated[0], "actionid": ["another"]}, BUSY)
        await pbx.originate_response(pbx.originated[0], NO_ANSWER)
        with pytest.raises(DialFailed, match="Nobody took up extension 201"):
            await ended(dialled)

    async def test_who_takes_up_late_is_no_failure(self, pbx: AsteriskPbx) -> None:
        pbx.outcome = ""
        dialled = await dialler(pbx).dial(NUMBER, "201", DIAL)
        await pbx.originate_response(pbx.originated[0], ANSWERED)
        await ended(dialled)

    async def test_a_connection_that_breaks_while_it_rings_is_no_failure(self, pbx: AsteriskPbx) -> None:
        pbx.outcome = ""
        dialled = await dialler(pbx).dial(NUMBER, "201", DIAL)
        await pbx.cut()
        await ended(dialled)
        assert len(pbx.originated) == 1

    async def test_a_service_that_ends_just_then_leaves_no_connection_behind(self, pbx: AsteriskPbx) -> None:
        """The following is cancelled before its first step, so that nothing in it runs."""
        pbx.outcome = ""
        dialled = await dialler(pbx).dial(NUMBER, "201", DIAL)
        assert dialled.later is not None
        dialled.later.cancel()
        await asyncio.gather(dialled.later, return_exceptions=True)
        async with asyncio.timeout(60):
            await pbx.left()


class TestKalliope:
    async def test_it_is_asked_as_its_paper_says(self, pbx: AsteriskPbx) -> None:
        pbx.users["richiamo"] = User("ami secret", read=frozenset({"call"}), write=frozenset({"call"}))
        assert await dialler(pbx, ami_variant="kalliope", ami_tenant=TENANT).dial(NUMBER, "201", DIAL) == Dialled("ami")
        (asked,) = pbx.originated
        assert asked == {
            "action": ["Originate"],
            "actionid": asked["actionid"],
            "channel": ["Local/201@c2c"],
            "context": ["from_c2c"],
            "exten": ["00501234567"],
            "priority": ["1"],
            "timeout": ["10000"],
            "async": ["true"],
            "variable": ["C2C_SRC=201", "C2C_DST=00501234567", f"__TENANT_UUID={TENANT}"],
        }


class TestAtMostOnce:
    async def test_nobody_there_is_a_failure(self, pbx: AsteriskPbx) -> None:
        gone = replace(account(pbx), port=1)
        with pytest.raises(DialFailed, match="does not answer"):
            await AmiDialler(gone, Plan.of(SiteSettings()), str).dial("0501", "201", DIAL)

    async def test_a_wrong_secret_is_a_failure(self, pbx: AsteriskPbx) -> None:
        with pytest.raises(DialFailed, match="user and secret"):
            await dialler(pbx, "wrong").dial(NUMBER, "201", DIAL)
        assert pbx.originated == []

    async def test_a_user_without_the_right_is_a_failure(self, pbx: AsteriskPbx) -> None:
        pbx.users["richiamo"] = User("ami secret", write=frozenset())
        with pytest.raises(DialFailed, match="Permission denied"):
            await dialler(pbx).dial(NUMBER, "201", DIAL)

    @pytest.mark.parametrize("where", ["cut_after", "silent_after"])
    async def test_an_originate_without_an_answer_is_taken_as_dialled_and_never_repeated(
        self, pbx: AsteriskPbx, where: str
    ) -> None:
        pbx.outcome = ""
        setattr(pbx.trouble, where, "Originate")
        assert await dialler(pbx).dial(NUMBER, "201", DIAL) == Dialled("ami")
        assert pbx.actions.count("Originate") == 1

    @pytest.mark.parametrize("where", ["cut_after", "silent_after"])
    @pytest.mark.parametrize("step", ["Challenge", "Login"])
    async def test_what_breaks_before_the_originate_is_a_failure(self, pbx: AsteriskPbx, where: str, step: str) -> None:
        setattr(pbx.trouble, where, step)
        with pytest.raises(DialFailed, match="does not answer"):
            await dialler(pbx).dial(NUMBER, "201", DIAL)
        assert "Originate" not in pbx.actions

    async def test_no_extension_is_a_failure(self, pbx: AsteriskPbx) -> None:
        with pytest.raises(DialFailed, match="extension"):
            await dialler(pbx).dial(NUMBER, "", DIAL)


class TestNobodySlipsAnythingIn:
    @pytest.mark.parametrize(
        "extension", ["201\r\nAction: Originate", "201/n", "201@other", "201 ", "201,evil", "2;1", "2&3"]
    )
    async def test_by_the_extension(self, pbx: AsteriskPbx, extension: str) -> None:
        with pytest.raises(DialFailed, match="signs"):
            await dialler(pbx).dial(NUMBER, extension, DIAL)
        assert pbx.actions == []

    @pytest.mark.parametrize("number", ["", "050\r\nApplication: System", "050,x", "050/1", "abc", "050&SIP/1"])
    async def test_by_the_number(self, pbx: AsteriskPbx, number: str) -> None:
        with pytest.raises(DialFailed, match="signs"):
            await dialler(pbx).dial(number, "201", DIAL)
        assert pbx.actions == []

    @pytest.mark.parametrize(
        ("setting", "value", "taken"),
        [
            ("ami_channel", "", True),
            ("ami_channel", "Local/{extension}@originate-skipvm", True),
            ("ami_channel", "PJSIP/{extension}", True),
            ("ami_channel", "Local/{extension}@from-queue/n", True),
            ("ami_channel", "Local/201@c2c", False),
            ("ami_channel", "Local/{extension}@c2c\r\nAction: Command", False),
            ("ami_channel", "Local/{number}@{extension}", False),
            ("ami_channel", 7, False),
            ("ami_context", "from-internal", True),
            ("ami_context", "from-internal\r\n", False),
            ("ami_context", "from internal", False),
            ("ami_tenant", TENANT, True),
            ("ami_tenant", "tenant,X=1", False),
            ("ami_variant", "kalliope", True),
            ("ami_variant", "other", False),
            ("dial_how", "ami", True),
        ],
    )
    def test_by_the_settings(self, setting: str, value: object, taken: bool) -> None:
        assert (validate({setting: value}) == {}) is taken


class TestLiving:
    async def test_the_calls_of_now_are_named(self, pbx: AsteriskPbx) -> None:
        pbx.channels = [[("Uniqueid", "1.2"), ("Linkedid", str(DIAL))], [("Uniqueid", "3.4"), ("Linkedid", "3.4")]]
        assert await living(account(pbx)) == {"1.2", DIAL, "3.4"}

    async def test_without_the_right_it_is_said(self, pbx: AsteriskPbx) -> None:
        pbx.users["richiamo"] = User("ami secret", write=frozenset({"originate"}))
        with pytest.raises(AmiRefused, match="Permission denied"):
            await living(account(pbx))
