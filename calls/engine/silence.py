"""What the agent does when nobody speaks."""

from calls.engine.agent import Silence


class SilenceWatch:
    """Counts the wall time since the caller last gave a sign, and the times he was asked whether he is there."""

    def __init__(self, settings: Silence) -> None:
        self._settings = settings
        self._quiet_since = 0.0
        self._reprompts = 0
        self._is_typing = False

    def note_sign(self, now: float) -> None:
        """Somebody is there."""
        self._quiet_since = now

    def note_voice(self, now: float) -> None:
        """The caller can be heard; who only typed before is on the microphone again."""
        self._quiet_since = now
        self._is_typing = False

    def note_typing(self) -> None:
        """The caller types, and may take his time over it."""
        self._is_typing = True

    def note_turn(self) -> None:
        """The caller said something: after it he may be asked as often as before."""
        self._reprompts = 0

    def ends_at(self, floor_since: float) -> float | None:
        """When the agent speaks up, to a caller who has had the floor since then; None: it waits for who types."""
        if self._is_typing:
            return None
        return max(self._quiet_since, floor_since) + self._settings.reprompt_after_seconds

    def take_reprompt(self, now: float) -> str | None:
        """Give the next question whether anybody is there; None when it was asked often enough."""
        lines = self._settings.reprompts
        if self._reprompts >= self._settings.max_reprompts or not lines:
            return None
        self._reprompts += 1
        self._quiet_since = now
        return lines[min(self._reprompts, len(lines)) - 1]
