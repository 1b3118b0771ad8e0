"""What an agent can do beside talking: tools of the operator's own, and where callers are put through to."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from calls.enums import TransferKind

ToolName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]


def _no_arguments() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


class HttpTool(Struct, frozen=True, kw_only=True):
    """A request that the model may make while the caller waits.

    ``parameters``: JSON schema of the arguments, which go out as JSON (POST, PUT) or in the query (GET). ``secret`` is
    the *name* of a stored secret, whose value goes into the header ``secret_header``.
    """

    name: ToolName
    description: Annotated[str, Meta(min_length=1, max_length=1000)]
    url: Annotated[str, Meta(pattern=r"^https?://[^\s@/?#]+(?:[/?#]\S*)?\Z", max_length=2000)]
    method: Literal["GET", "POST", "PUT"] = "POST"
    parameters: dict[str, Any] = field(default_factory=_no_arguments)
    timeout_ms: Annotated[int, Meta(ge=100, le=30_000)] = 8000
    secret_header: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{0,60}\Z")] = ""
    secret: Annotated[str, Meta(max_length=60)] = ""
    filler: Annotated[str, Meta(max_length=300)] = "One moment, please."
    """Spoken once where the answer takes longer than about a second; empty: nothing."""
    max_result_characters: Annotated[int, Meta(ge=10, le=20_000)] = 2000
    """What is longer is cut, for the model and for the call's log."""


class Destination(Struct, frozen=True, kw_only=True):
    """Where a caller may be put through to. The model sees the name and the description, never the number.

    Cold: the caller is connected to the ringing telephone. Warm: somebody there first hears a summary, and takes the
    call with the key 1.
    """

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _-]{0,39}\Z")]
    e164: Annotated[str, Meta(pattern=r"^\+(?:1[2-9]\d{9}|[2-9]\d{6,14})\Z")]
    kind: TransferKind = TransferKind.COLD
    description: Annotated[str, Meta(max_length=300)] = ""


class TransferLines(Struct, frozen=True, kw_only=True):
    """What is said around a transfer."""

    connecting: str = "I'll put you through now. One moment, please."
    """To the caller, as the last words before another telephone rings or joins."""
    calling: str = "I am trying to reach somebody for you. Please stay on the line."
    """To the caller, while a colleague is being called."""
    returned: str = "I am sorry, nobody could take your call. Is there anything else I can do for you?"
    """To the caller who comes back."""
