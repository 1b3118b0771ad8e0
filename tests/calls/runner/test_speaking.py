import asyncio
from pathlib import Path

from calls.engine.events import AudioSent, Cancel, Event, ReplySent, SentenceSent, Speak
from calls.enums import CancelReason, Speaker
from calls.providers.cache import SpeechCache
from calls.runner.options import CallOptions
from calls.runner.simulation import run_virtually
from calls.runner.speaking import Speaking
from calls.wire.audio import AudioFormat
from tests.calls.runner.fakes import FakeShell, FakeSynthesiser, agent

WIRE = AudioFormat(rate=8000)


def make(folder: Path, *synthesisers: FakeSynthesiser) -> tuple[Speaking, FakeShell]:
    shell = FakeShell()
    speaking = Speaking(shell, agent(), CallOptions(input=WIRE, output=WIRE), synthesisers, SpeechCache(folder))
    shell.spawn(speaking.write())
    return speaking, shell


def test_nothing_of_a_reply_goes_out_before_it_is_committed(tmp_path: Path) -> None:
    async def work() -> tuple[list[Event], list[Event]]:
        speaking, shell = make(tmp_path, FakeSynthesiser())
        speaking.speak(Speak(1, 0, "Yes."))
        speaking.end_speech(1)
        await asyncio.sleep(5)
        before = list(shell.events)
        speaking.commit(1)
        await asyncio.sleep(5)
        speaking.stop()
        return before, shell.events

    before, after = run_virtually(work())
    assert before == []
    assert after == [AudioSent(1, 0, 100), AudioSent(1, 0, 140), SentenceSent(1, 0), ReplySent(1)]


def test_a_synthesiser_that_never_says_that_it_has_finished_holds_nobody_up(tmp_path: Path) -> None:
    async def work() -> tuple[Event, list[bool]]:
        synthesiser = FakeSynthesiser()
        synthesiser.is_endless = True
        speaking, shell = make(tmp_path, synthesiser)
        speaking.speak(Speak(1, 0, "Yes."))
        speaking.end_speech(1)
        speaking.commit(1)
        await asyncio.sleep(5)
        _writing, *voices = shell.tasks
        return shell.events[-1], [task.done() for task in voices]

    assert run_virtually(work()) == (ReplySent(1), [True])


def test_a_discarded_reply_is_never_heard(tmp_path: Path) -> None:
    async def work() -> tuple[list[object], list[tuple[object, ...]]]:
        speaking, shell = make(tmp_path, FakeSynthesiser())
        speaking.speak(Speak(1, 0, "Yes."))
        await asyncio.sleep(0.01)
        speaking.discard(1)
        await asyncio.sleep(5)
        return list(shell.events), shell.door.shown

    assert run_virtually(work()) == ([], [])


def test_the_next_reply_begins_when_the_one_before_has_been_played_and_a_little_later(tmp_path: Path) -> None:
    async def work() -> list[float]:
        speaking, shell = make(tmp_path, FakeSynthesiser(delay=0.0))
        for reply in (1, 2):
            speaking.speak(Speak(reply, 0, "0123456789"))
            speaking.end_speech(reply)
            speaking.commit(reply)
        await asyncio.sleep(5)
        return [round(at, 3) for at, what in shell.door.timed if what[0] == "start"]

    assert run_virtually(work()) == [0.0, 0.7]


def test_after_a_cancel_the_next_reply_leaves_a_gap_and_the_record_is_cut(tmp_path: Path) -> None:
    async def work() -> tuple[list[tuple[float, str]], float]:
        speaking, shell = make(tmp_path, FakeSynthesiser(delay=0.0))
        speaking.speak(Speak(1, 0, "0123456789"))
        speaking.commit(1)
        await asyncio.sleep(0.2)
        speaking.cancel(Cancel(1, CancelReason.BARGE_IN, "012"))
        recorded = sum(len(pcm) / 16 for side, _, pcm, _ in shell.sink.audio if side is Speaker.AGENT)
        speaking.speak(Speak(2, 0, "Yes."))
        speaking.commit(2)
        await asyncio.sleep(1)
        shown = [(round(at, 3), what[0]) for at, what in shell.door.timed if what[0] in {"start", "cancel"}]
        return shown, recorded

    assert run_virtually(work()) == ([(0.0, "start"), (0.2, "cancel"), (0.26, "start")], 200.0)


def test_a_reply_that_was_sent_whole_is_cancelled_while_it_is_being_played(tmp_path: Path) -> None:
    async def work() -> list[tuple[float, str]]:
        speaking, shell = make(tmp_path, FakeSynthesiser(delay=0.0))
        speaking.speak(Speak(1, 0, "0123456789"))
        speaking.end_speech(1)
        speaking.commit(1)
        await asyncio.sleep(0.2)
        assert shell.events[-1] == ReplySent(1)
        speaking.cancel(Cancel(1, CancelReason.BARGE_IN, "012"))
        return [(round(at, 3), what[0]) for at, what in shell.door.timed if what[0] == "cancel"]

    assert run_virtually(work()) == [(0.2, "cancel")]


def test_a_reply_that_is_cancelled_while_its_audio_is_handed_over_sends_none_of_it(tmp_path: Path) -> None:
    class Impatient(FakeShell):
        speaking: Speaking

        def receive(self, event: Event) -> None:
            super().receive(event)
            if isinstance(event, AudioSent):
                self.speaking.cancel(Cancel(1, CancelReason.BARGE_IN, ""))

    async def work() -> list[str]:
        shell = Impatient()
        options = CallOptions(input=WIRE, output=WIRE)
        shell.speaking = Speaking(shell, agent(), options, (FakeSynthesiser(),), SpeechCache(tmp_path))
        shell.spawn(shell.speaking.write())
        shell.speaking.speak(Speak(1, 0, "Yes."))
        shell.speaking.commit(1)
        await asyncio.sleep(5)
        return [what[0] for what in shell.door.shown]

    assert run_virtually(work()) == ["start", "cancel"]


def test_a_line_at_hand_is_not_mixed_with_what_the_synthesiser_before_still_gives(tmp_path: Path) -> None:
    async def work() -> list[Event]:
        slow, spare = FakeSynthesiser(delay=1.0), FakeSynthesiser()
        spare.name = "spare"
        speaking, shell = make(tmp_path, slow, spare)
        await speaking._cache.make(spare, speaking._speech, "Sorry.")
        speaking.speak(Speak(1, 0, "Sorry."))
        speaking.end_speech(1)
        await asyncio.sleep(0.5)
        speaking.speak(Speak(1, 0, "Sorry.", tier=1))
        speaking.end_speech(1)
        await asyncio.sleep(5)
        speaking.commit(1)
        await asyncio.sleep(5)
        return [event for event in shell.events if isinstance(event, AudioSent)]

    sent = run_virtually(work())
    assert sum(event.duration_ms for event in sent if isinstance(event, AudioSent)) == len("Sorry.") * 60


def test_a_cancel_before_the_first_audio_is_not_shown(tmp_path: Path) -> None:
    async def work() -> list[tuple[object, ...]]:
        speaking, shell = make(tmp_path, FakeSynthesiser(delay=1.0))
        speaking.speak(Speak(1, 0, "Yes."))
        speaking.commit(1)
        await asyncio.sleep(0.1)
        speaking.cancel(Cancel(1, CancelReason.BARGE_IN, ""))
        await asyncio.sleep(5)
        return shell.door.shown

    assert run_virtually(work()) == []


def test_lines_that_were_warmed_up_are_spoken_without_the_synthesiser(tmp_path: Path) -> None:
    async def work() -> tuple[list[str], list[str]]:
        synthesiser = FakeSynthesiser()
        speaking, shell = make(tmp_path, synthesiser)
        await speaking.warm_up(["Sorry."])
        warmed = list(synthesiser.said)
        speaking.speak(Speak(1, 0, "Sorry."))
        speaking.commit(1)
        await asyncio.sleep(1)
        assert [what[0] for what in shell.door.shown] == ["start", "audio", "audio"]
        return warmed, synthesiser.said

    assert run_virtually(work()) == (["Sorry."], ["Sorry."])
