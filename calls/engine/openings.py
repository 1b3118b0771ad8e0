"""The first words of a call."""

from msgspec import Struct

from calls.engine.agent import AgentSpec
from calls.engine.sentences import BREAK


class FirstWords(Struct, frozen=True):
    """What is said first: ``notice`` in any case and to its end, then ``opening``."""

    notice: str
    opening: str

    @classmethod
    def of(cls, spec: AgentSpec, *, is_telephone: bool, is_protected: bool = False) -> "FirstWords":
        """Give a call's first words; the notice is for the telephone alone. ``is_protected``: all must be heard."""
        if not is_telephone:
            return cls(spec.opening, "") if is_protected else cls("", spec.opening)
        return cls(spec.telephone.notice, spec.telephone.opening or spec.opening)

    @property
    def text(self) -> str:
        """Everything, cut where the voice makes a new sentence, so that the notice's audio can be kept."""
        return BREAK.join(part for part in (self.notice, self.opening) if part.strip())

    @property
    def protected(self) -> int:
        """How many pieces of the text must be heard."""
        return len([piece for piece in self.notice.split(BREAK) if piece.strip()])
