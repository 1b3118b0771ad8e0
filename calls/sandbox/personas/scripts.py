"""How personas behave. Each script is a generator of steps; what is said in it, ``lines`` gives."""

from calls.engine.phonecall import OPT_OUT_KEY
from calls.sandbox.steps import Beep, HangUp, Listen, Press, Ring, Say, Script, Verdict, Wait

_PATIENCE_MS = 9_000
_RECORDING_MS = 90_000
_DETECTION_MS = 1_800
"""From somebody's first word to the verdict that this is a person."""


def talk(lines: tuple[str, ...], *, pickup_ms: float = 500, quiet_ms: float = 900) -> Script:
    """Say hello, then one line after the other, each when the agent has finished; then let it say goodbye.

    The last line asks a silent line whether anybody is there.
    """
    hello, *replies, still_there = lines
    yield Wait(pickup_ms)
    yield Say(hello)
    yield Verdict("human")
    for reply in replies:
        heard = yield Listen(quiet_ms=quiet_ms, at_most_ms=_PATIENCE_MS)
        if not heard.has_spoken:
            yield Say(still_there)
            heard = yield Listen(quiet_ms=quiet_ms, at_most_ms=_PATIENCE_MS)
            if not heard.has_spoken:
                return
        yield Say(reply)
    yield Listen(quiet_ms=3_000, at_most_ms=_PATIENCE_MS)


def hang_up_early(lines: tuple[str, ...]) -> Script:
    """Lose patience in the middle of a sentence: the first wordings in the agent's, the others in their own."""
    hello, reply = lines
    yield Wait(400)
    yield Say(hello)
    yield Verdict("human")
    if not reply:
        yield Listen(most_speech_ms=2_200)
        return
    yield Listen(at_most_ms=_PATIENCE_MS)
    yield Say(reply, share=0.55)


def accept_transfer(lines: tuple[str, ...]) -> Script:
    """Hear what the agent says about the caller, take the call by a key, and talk to whoever is there then."""
    hello, accepting, greeting, answer = lines
    yield Wait(400)
    yield Say(hello)
    yield Verdict("human")
    yield Listen(quiet_ms=1_200, at_most_ms=_PATIENCE_MS)
    yield Press("1")
    yield Say(accepting)
    yield Wait(1_500)
    yield Say(greeting)
    yield Listen(at_most_ms=_PATIENCE_MS)
    yield Say(answer)
    yield Listen(quiet_ms=3_000, at_most_ms=_PATIENCE_MS)


def decline_transfer(lines: tuple[str, ...]) -> Script:
    """Hear what the agent says about the caller, and decline by a key."""
    hello, refusing = lines
    yield Wait(400)
    yield Say(hello)
    yield Verdict("human")
    yield Listen(quiet_ms=1_200, at_most_ms=_PATIENCE_MS)
    yield Press("2")
    yield Say(refusing)
    yield Listen(quiet_ms=3_000, at_most_ms=_PATIENCE_MS)


def press_opt_out(lines: tuple[str, ...]) -> Script:
    """Hear who it is, press the key for no more calls, and let the agent take leave."""
    hello, sigh = lines
    yield Wait(400)
    yield Say(hello)
    yield Verdict("human")
    yield Listen(at_most_ms=_PATIENCE_MS)
    yield Say(sigh)
    yield Press(OPT_OUT_KEY)
    yield Listen(quiet_ms=3_000, at_most_ms=_PATIENCE_MS)


def record_message(lines: tuple[str, ...]) -> Script:
    """Greet, beep, record until it is quiet for long."""
    (greeting,) = lines
    yield Wait(700)
    yield Say(greeting)
    yield Wait(300)
    yield Beep()
    yield Verdict("machine_end_beep")
    yield Listen(quiet_ms=6_000, at_most_ms=12_000, most_speech_ms=_RECORDING_MS)
    yield Beep(200, 700)


def screen(lines: tuple[str, ...]) -> Script:
    """Ask who calls and why; then the owner picks up, or has the assistant send the caller away."""
    question, interlude, *owner = lines
    yield Wait(900)
    yield Say(question)
    yield Verdict("machine_end_other")
    heard = yield Listen(quiet_ms=1_500, at_most_ms=_PATIENCE_MS)
    if not heard.has_spoken:
        return
    yield Say(interlude)
    if not owner:
        return
    yield Wait(4_000)
    hello, *rest = owner
    yield Say(hello)
    for reply in rest:
        yield Listen(at_most_ms=_PATIENCE_MS)
        yield Say(reply)
    yield Listen(quiet_ms=3_000, at_most_ms=_PATIENCE_MS)


def offer_menu(lines: tuple[str, ...]) -> Script:
    """Read the menu out until a key is pressed, three times at most; then put the caller through."""
    menu, wrong, nobody, colleague, farewell = lines
    yield Wait(800)
    for _ in range(3):
        yield Say(menu)
        yield Verdict("machine_end_other")
        heard = yield Listen(quiet_ms=6_000, at_most_ms=6_000, stops_at_key=True)
        if heard.key in {"0", "1", "2"}:
            yield Ring(2_000)
            yield Wait(500)
            yield Say(colleague)
            yield Listen(at_most_ms=_PATIENCE_MS)
            yield Say(farewell)
            yield Listen(quiet_ms=3_000, at_most_ms=_PATIENCE_MS)
            return
        if heard.key:
            yield Say(wrong)
    yield Say(nobody)


def say_nothing(lines: tuple[str, ...]) -> Script:
    """Hold the receiver without a word."""
    del lines
    yield Wait(_DETECTION_MS)
    yield Wait(28_000)
    yield Verdict("unknown")
    yield Wait(150_000)
    yield HangUp()
