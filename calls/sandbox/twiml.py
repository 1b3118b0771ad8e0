"""TwiML as verbs (https://www.twilio.com/docs/voice/twiml): those that a call of ours may be told to do."""

from collections.abc import Callable, Mapping
from xml.etree import ElementTree as ET

from msgspec import Struct

from calls.errors import WireError


class Say(Struct, frozen=True):
    """Words in the carrier's own voice."""

    text: str


class Pause(Struct, frozen=True):
    """Silence."""

    seconds: float


class Stream(Struct, frozen=True, kw_only=True):
    """``<Connect><Stream>``: both directions, until one side ends it."""

    url: str
    status_url: str = ""
    parameters: Mapping[str, str] = {}


class Gather(Struct, frozen=True, kw_only=True):
    """Keys, pressed over what is said meanwhile or within ``timeout`` seconds after it."""

    prompts: "tuple[Say | Pause, ...]"
    action: str
    timeout: float
    most_digits: int | None
    finish_on: str


class Dial(Struct, frozen=True, kw_only=True):
    """Another telephone, connected with this one. ``action`` empty: the next verb follows."""

    number: str
    action: str
    timeout: float


class Confer(Struct, frozen=True, kw_only=True):
    """``<Dial><Conference>``: a room by its name. ``ends_room``: it closes when this call leaves."""

    name: str
    action: str
    ends_room: bool


class Redirect(Struct, frozen=True):
    """Go on with the TwiML of another address."""

    url: str


class Hangup(Struct, frozen=True):
    """End the call."""


Verb = Say | Pause | Stream | Gather | Dial | Confer | Redirect | Hangup


def parse(text: str) -> list[Verb]:
    """Read a document. Raises ``WireError`` for what is no TwiML, or has a verb that the sandbox does not know."""
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 (our own web process answers, to a signed question)
    except ET.ParseError as error:
        message = f"no XML: {error}"
        raise WireError(message) from error
    if root.tag != "Response":
        message = f"expected <Response>, not <{root.tag}>"
        raise WireError(message)
    return [_verb(node) for node in root]


def _verb(node: ET.Element) -> Verb:
    read = _READERS.get(node.tag)
    if read is None:
        message = f"the sandbox has no <{node.tag}>"
        raise WireError(message)
    return read(node)


def _stream(node: ET.Element) -> Stream:
    stream = node.find("Stream")
    if stream is None or not stream.get("url"):
        message = "the sandbox knows <Connect> with a <Stream url> only"
        raise WireError(message)
    return Stream(
        url=stream.get("url", ""),
        status_url=stream.get("statusCallback", ""),
        parameters={part.get("name", ""): part.get("value", "") for part in stream.findall("Parameter")},
    )


def _gather(node: ET.Element) -> Gather:
    digits = node.get("numDigits", "")
    prompts = tuple(verb for verb in map(_verb, node) if isinstance(verb, Say | Pause))
    return Gather(
        prompts=prompts,
        action=node.get("action", ""),
        timeout=_seconds(node, "timeout", 5),
        most_digits=int(digits) if digits.isdigit() else None,
        finish_on=node.get("finishOnKey", "#"),
    )


def _dial(node: ET.Element) -> Dial | Confer:
    room = node.find("Conference")
    if room is not None:
        ends = room.get("endConferenceOnExit", "false") == "true"
        return Confer(name=(room.text or "").strip(), action=node.get("action", ""), ends_room=ends)
    number = node.find("Number")
    text = (node if number is None else number).text or ""
    if not text.strip():
        message = "the sandbox dials numbers and conferences only"
        raise WireError(message)
    return Dial(number=text.strip(), action=node.get("action", ""), timeout=_seconds(node, "timeout", 30))


def _seconds(node: ET.Element, name: str, default: float) -> float:
    try:
        return float(node.get(name, default))
    except ValueError as error:
        message = f"{name} of <{node.tag}> is no number"
        raise WireError(message) from error


_READERS: Mapping[str, Callable[[ET.Element], Verb]] = {
    "Say": lambda node: Say("".join(node.itertext()).strip()),
    "Pause": lambda node: Pause(_seconds(node, "length", 1)),
    "Connect": _stream,
    "Gather": _gather,
    "Dial": _dial,
    "Redirect": lambda node: Redirect((node.text or "").strip()),
    "Hangup": lambda _: Hangup(),
}
