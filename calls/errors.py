"""The one tree of errors. A vendor's exception is translated in the vendor's file and nowhere else."""

from calls.enums import DialRefusal, Role


class CallError(Exception):
    """Something about a call went wrong in a way that the code foresaw."""


class WireError(CallError):
    """A frame from the other side breaks its protocol; the text says which field and what was expected."""


class AudioError(WireError):
    """The audio of a frame cannot be used: an odd byte count or more than the buffer holds."""


class AgentError(CallError):
    """An agent's definition cannot be used; the text names the field and the remedy."""


class MissingVariableError(AgentError):
    """A ``{{name}}`` has neither a value nor a default."""

    def __init__(self, name: str) -> None:
        super().__init__(f"variable '{name}' has no value and no default; give it, or write {{{{{name}|default}}}}")
        self.name = name


class ProviderError(CallError):
    """A provider did not do its work.

    ``retryable`` says whether the same request may succeed a moment later; ``role`` is what it did for the call.
    """

    def __init__(self, message: str, *, provider: str, role: Role, retryable: bool) -> None:
        super().__init__(f"{provider}: {message}")
        self.provider = provider
        self.role = role
        self.retryable = retryable


class ProviderTimeoutError(ProviderError):
    """No answer within the budget."""

    def __init__(self, message: str, *, provider: str, role: Role) -> None:
        super().__init__(message, provider=provider, role=role, retryable=True)


class ProviderUnavailableError(ProviderError):
    """Not reachable, overloaded, rate-limited or gone in the middle."""

    def __init__(self, message: str, *, provider: str, role: Role) -> None:
        super().__init__(message, provider=provider, role=role, retryable=True)


class ProviderRejectedError(ProviderError):
    """The request itself was refused: key, quota, model or content. Repeating it does not help."""

    def __init__(self, message: str, *, provider: str, role: Role) -> None:
        super().__init__(message, provider=provider, role=role, retryable=False)


class ToolRefusedError(CallError):
    """A tool was not used; the text tells the model why, and what to do about it. It may be said to a caller."""


class ErasureRefusedError(CallError):
    """A call is not deleted, and the text says why."""


class OrderRefusedError(CallError):
    """What an operator wants done with a call cannot be done; the text says why."""


class DialRefusedError(CallError):
    """A call is not placed, and nothing was asked of the carrier; the text says what to do about it."""

    def __init__(self, message: str, *, reason: DialRefusal) -> None:
        super().__init__(message)
        self.reason = reason


class TelephonyError(CallError):
    """The carrier did not do what it was asked for.

    ``permanent``: the same request would be refused again. ``code`` is the carrier's own, 0 where it gave none.
    """

    def __init__(self, message: str, *, permanent: bool, code: int = 0) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.code = code


class UncertainTelephonyError(TelephonyError):
    """The request went out and no answer tells whether the carrier acted on it. It must not be repeated blindly."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message, permanent=False, code=code)


class UnknownCallError(TelephonyError):
    """The carrier has no such call, or it is over."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message, permanent=True, code=code)
