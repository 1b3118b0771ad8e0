"""Tools that move the line: end, transfer, keys, and no more calls."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from calls.engine.agent import AgentSpec
from calls.engine.asides import LineGiven
from calls.engine.toolspec import Destination
from calls.enums import BuiltInTool, EndReason, TransferKind
from calls.errors import ToolRefusedError
from calls.runner.ports import Line
from calls.runner.tools.base import Outcome, describe, read_as

_DIGITS = "0123456789*#"
_MOST_DIGITS = 32


class EndCall:
    """Hang up. The engine performs it itself: its goodbye is a reply like any other."""

    name, seconds, filler = BuiltInTool.END_CALL.value, 1.0, ""

    def describe(self) -> Mapping[str, Any]:
        """Describe it."""
        text = (
            "End the phone call. Use it when the caller says goodbye, or when everything is settled. "
            "Say the goodbye in the argument; it is spoken before the line is closed."
        )
        goodbye = {"type": "string", "description": "The last words to the caller, one short sentence."}
        return describe(self.name, text, {"goodbye": goodbye})

    async def use(self, arguments: str) -> Outcome:
        """Refuse: the engine asks for it only where the agent may not end calls."""
        del arguments
        message = "You may not end this call; the caller hangs up."
        raise ToolRefusedError(message)


class _Transfer(Struct, frozen=True):
    destination: str
    summary: Annotated[str, Meta(max_length=1000)] = ""


class TransferCall:
    """Hand the caller to a destination of the agent's: cold at the end of the talk, warm after a colleague's yes.

    ``on_cold`` and ``on_consulted`` tell the toolbox what has to happen later.
    """

    name, seconds, filler = BuiltInTool.TRANSFER_CALL.value, 20.0, ""

    def __init__(
        self,
        spec: AgentSpec,
        line: Line,
        *,
        on_cold: Callable[[Destination], None],
        on_consulted: Callable[[], None],
        summarise: Callable[[], str],
    ) -> None:
        self._places = {place.name.casefold(): place for place in spec.destinations}
        self._lines = spec.transfer_lines
        self._line = line
        self._on_cold = on_cold
        self._on_consulted = on_consulted
        self._summarise = summarise

    def describe(self) -> Mapping[str, Any]:
        """Describe it, with the destinations that there are."""
        places = "; ".join(
            f"{place.name}: {place.description}" if place.description else place.name for place in self._places.values()
        )
        text = f"Put the caller through to a colleague, if the caller wants that. Destinations: {places}."
        properties = {
            "destination": {"type": "string", "enum": [place.name for place in self._places.values()]},
            "summary": {
                "type": "string",
                "description": "Who is calling and what it is about, for the colleague: at most three sentences.",
            },
        }
        return describe(self.name, text, properties)

    async def use(self, arguments: str) -> Outcome:
        """Begin the transfer."""
        wanted = read_as(arguments, _Transfer)
        place = self._places.get(wanted.destination.strip().casefold())
        if place is None:
            known = ", ".join(known.name for known in self._places.values())
            message = f"there is no destination '{wanted.destination}'; there are: {known}"
            raise ToolRefusedError(message)
        detail = {"destination": place.name, "kind": place.kind.value}
        if place.kind is TransferKind.WARM:
            await self._line.consult(place, wanted.summary.strip() or self._summarise())
            self._on_consulted()
            result = "A colleague is being called. The caller waits on the line, and you can go on talking."
            return Outcome(result=result, last=LineGiven(self._lines.calling, holds=True), detail=detail)
        if not self._line.is_telephone:
            await self._line.transfer(place)
        self._on_cold(place)
        result = "The caller is being put through."
        return Outcome(result=result, last=LineGiven(self._lines.connecting, EndReason.TRANSFERRED), detail=detail)


class _Digits(Struct, frozen=True):
    digits: str


class SendDigits:
    """Press keys, as tones in the stream."""

    name, seconds, filler = BuiltInTool.SEND_DIGITS.value, 30.0, ""

    def __init__(self, line: Line, press: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        self._line = line
        self._press = press

    def describe(self) -> Mapping[str, Any]:
        """Describe it."""
        text = "Press keys of the telephone, for a menu or an extension on the other side."
        return describe(self.name, text, {"digits": {"type": "string", "description": "0-9, * and #, such as 12#."}})

    async def use(self, arguments: str) -> Outcome:
        """Press them, and return when they were heard."""
        digits = "".join(read_as(arguments, _Digits).digits.split())
        if not digits or len(digits) > _MOST_DIGITS or set(digits) - set(_DIGITS):
            message = f"digits: expected 1 to {_MOST_DIGITS} of 0-9, * and #"
            raise ToolRefusedError(message)
        if not self._line.is_telephone:
            message = "This conversation has no telephone line, so there are no keys to press. Say so, and go on."
            raise ToolRefusedError(message)
        await self._press(digits)
        return Outcome(result=f"The keys {' '.join(digits)} were pressed.", detail={"count": len(digits)})


class _Refusal(Struct, frozen=True):
    words: Annotated[str, Meta(min_length=1, max_length=500)]


class DoNotCall:
    """Suppress the number at once, and take leave."""

    name, seconds, filler = BuiltInTool.DO_NOT_CALL.value, 10.0, ""

    def __init__(self, spec: AgentSpec, line: Line) -> None:
        self._goodbye = spec.telephone.opt_out_goodbye
        self._line = line

    def describe(self) -> Mapping[str, Any]:
        """Describe it."""
        text = "The person wants no more calls: have this number never called again, and end the call politely."
        words = {"type": "string", "description": "What the person said, word for word."}
        return describe(self.name, text, {"words": words})

    async def use(self, arguments: str) -> Outcome:
        """Suppress, then end the call."""
        await self._line.suppress(read_as(arguments, _Refusal).words.strip())
        last = LineGiven(self._goodbye, EndReason.OPTED_OUT)
        return Outcome(result="The number is suppressed.", last=last, is_final=True)
