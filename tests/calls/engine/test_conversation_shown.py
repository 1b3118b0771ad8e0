"""What the other side is told beside words and audio."""

from calls.engine import events as ev
from calls.enums import ConversationState
from tests.calls.engine.scene import Scene


def test_the_latency_of_an_answer_is_shown_with_its_first_audio_even_if_it_is_cut_later() -> None:
    scene = Scene()
    scene.say("How much is it?")
    number = scene.generates[-1].reply
    scene.write("It costs ten dollars a month.", reply=number)
    scene.send(ev.AudioSent(number, 0, 100.0))
    scene.send(ev.AudioSent(number, 0, 100.0))
    shown = scene.of(ev.ShowLatency)
    assert [action.reply for action in shown] == [number]
    assert shown[0].latency.total > 600
    scene.send(ev.InterruptRequested())
    assert scene.of(ev.CompleteReply) == []


def test_an_opening_is_shown_no_latency_for() -> None:
    scene = Scene(opening="Hello, this is Ada.")
    scene.sound(1, 1000.0)
    assert scene.of(ev.ShowLatency) == []


def test_an_explicit_start_after_an_implicit_one_speaks_the_opening_once() -> None:
    scene = Scene(opening="Hello, this is Ada.", start=False)
    scene.send(ev.CallStarted(opening=False))
    assert scene.of(ev.Speak) == []
    scene.send(ev.CallResumed())
    assert [action.text for action in scene.of(ev.Speak)] == ["Hello, this is Ada."]
    scene.sound(scene.of(ev.Speak)[0].reply, 1000.0)
    scene.wait(3)
    scene.send(ev.CallResumed())
    assert len(scene.of(ev.Speak)) == 1


def test_an_explicit_start_does_not_speak_the_opening_over_anybody() -> None:
    scene = Scene(opening="Hello, this is Ada.", start=False)
    scene.send(ev.CallStarted(opening=False))
    scene.send(ev.TextTyped("How much is it?"))
    scene.write("It costs ten dollars a month.")
    scene.sound(1, 3000.0)
    scene.hear(1.0)
    scene.hear(0.2, voiced=True)
    assert scene.state is ConversationState.INTERRUPTED
    scene.send(ev.CallResumed())
    assert scene.spoken == [(1, "It costs ten dollars a month.")]
    scene.words("Wait, I")
    scene.send(ev.CallResumed())
    assert scene.spoken == [(1, "It costs ten dollars a month.")]
