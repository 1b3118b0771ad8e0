"""What is done about a caller's wish for no more calls, or for no recording, in whichever turn it is said."""

from collections.abc import Callable

from calls.engine.answering import Answering
from calls.engine.hearing import Ear
from calls.engine.phonecall import RecordOptOut, StopRecording
from calls.engine.reception import Reception
from calls.engine.reply import Purpose
from calls.engine.sentences import BREAK
from calls.engine.stage import Stage
from calls.engine.wishes import Wish, find_wish
from calls.enums import CancelReason, EndReason, SuppressionSource

_GONE_WITHIN_SECONDS = 8.0
"""The last words may take so long; with the time to understand the wish the call is over 10 s after it."""


class Heeding:
    """Looks for wishes in what is heard on a telephone. ``take_words`` makes a turn of what was heard so far."""

    def __init__(
        self, stage: Stage, agent: Answering, ear: Ear, reception: Reception, *, take_words: Callable[[], None]
    ) -> None:
        self._stage = stage
        self._agent = agent
        self._ear = ear
        self._reception = reception
        self._take_words = take_words
        self._opted_out_at: float | None = None
        self._has_objected = False

    def next_timeout(self) -> float | None:
        """When the call of somebody who wants no more calls is over, whatever is still being said."""
        return None if self._opted_out_at is None else self._opted_out_at + _GONE_WITHIN_SECONDS

    def heed(self, *, is_over: bool = False) -> bool:
        """Look for a wish in the words so far, and do what it asks for; True when there was one.

        Words that the recogniser may still change are waited for, unless the utterance ``is_over``.
        """
        if not self._reception.is_telephone or not (self._ear.is_worded or is_over):
            return False
        wish = find_wish(self._ear.text)
        if wish is Wish.NO_CALLS:
            self.opt_out(SuppressionSource.SPOKEN)
        elif wish is Wish.NO_RECORDING and not self._has_objected and not self._reception.is_silent:
            self._stop_recording()
        else:
            return False
        return True

    def opt_out(self, source: SuppressionSource) -> None:
        """Have it hold that the person wants no more calls, say so, and end the call."""
        if not self._agent.is_parting:
            self._agent.stop(CancelReason.SUPERSEDED)
        self.record(source)
        if (reply := self._agent.reply) is not None:
            reply.ends_call = EndReason.OPTED_OUT  # it is saying its last words already
            return
        self._agent.say(self._stage.spec.telephone.opt_out_goodbye, Purpose.FAREWELL, ends_call=EndReason.OPTED_OUT)

    def record(self, source: SuppressionSource) -> None:
        """Have the wish stored, once, with the turn that says it."""
        turns = self._stage.history.turns
        before = len(turns)
        self._take_words()
        if self._opted_out_at is None:
            self._opted_out_at = self._stage.now
            spoken = len(turns) > before and source is SuppressionSource.SPOKEN
            self._stage.emit(RecordOptOut(source, turns[-1].index if spoken else None))

    def heed_last(self) -> None:
        """The line is gone: what was said last still counts."""
        if self._reception.is_telephone and find_wish(self._ear.text) is Wish.NO_CALLS:
            self.record(SuppressionSource.SPOKEN)

    def _stop_recording(self) -> None:
        """Stop it, say so, and go on with what the caller has not heard yet."""
        self._has_objected = True
        reception = self._reception
        rest, protected = reception.unheard()
        self._agent.stop(CancelReason.SUPERSEDED)
        self._take_words()
        self._stage.emit(StopRecording())
        line = self._stage.spec.telephone.objection_line
        if rest:
            reception.open(f"{line}{BREAK}{rest}", protected + 1 if protected else 0)
        else:
            self._agent.say(line, Purpose.LINE)
