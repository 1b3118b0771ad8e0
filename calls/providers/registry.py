"""Which provider does what in a call: names from the agent or the settings, loaded when first needed.

A provider's module is imported only when it is chosen, so that an installation pays for no SDK that it does not use.
Provider objects, their pools and sockets belong to one event loop; every loop of the process gets its own.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from typing import Any, cast
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from django.conf import LazySettings, settings
from msgspec import Struct

from calls.engine.agent import AgentSpec, ProviderChoice
from calls.enums import Role
from calls.errors import AgentError, ProviderError
from calls.providers.base import LanguageModel, SpeechToText, TextToSpeech, VoiceDetector
from calls.providers.cache import SpeechCache

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 2.0
_WARM_SECONDS = 5.0
_KEYS = {
    "calls.providers.deepgram.Deepgram": "DEEPGRAM_API_KEY",
    "calls.providers.openai.OpenAI": "OPENAI_API_KEY",
    "calls.providers.cartesia.Cartesia": "CARTESIA_API_KEY",
}


class CallProviders(Struct, frozen=True, kw_only=True):
    """What one call speaks to. ``llms`` and ``tts`` go by tier: 0 the agent's own, 1 its fallback if it has one."""

    stt: SpeechToText
    llms: tuple[LanguageModel, ...]
    tts: tuple[TextToSpeech, ...]
    vad: VoiceDetector
    cache: SpeechCache


class MissingSetting(Struct, frozen=True):
    """A provider was chosen that cannot work. ``setting`` is what to set, ``remedy`` a sentence for the operator."""

    role: Role
    provider: str
    setting: str
    remedy: str


class _Shelf:
    """The provider objects of one event loop, by role and dotted path."""

    def __init__(self) -> None:
        self.providers: dict[tuple[str, str], Any] = {}
        self.cache = SpeechCache.from_settings()

    def take(self, kind: str, path: str) -> Any:
        """Give the one object of this class."""
        key = (kind, path)
        if key not in self.providers:
            self.providers[key] = _load(path)()
        return self.providers[key]


_shelves: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Shelf]" = WeakKeyDictionary()


def resolve(spec: AgentSpec) -> CallProviders:
    """Give the agent's providers for the running event loop.

    Raises ``AgentError`` for a name that is neither configured nor a dotted path of a class.
    """
    loop = asyncio.get_running_loop()
    if (shelf := _shelves.get(loop)) is None:
        shelf = _shelves[loop] = _Shelf()
    stt, llms, tts = _paths(spec.providers)
    return CallProviders(
        stt=cast("SpeechToText", shelf.take(Role.STT, stt)),
        llms=tuple(cast("LanguageModel", shelf.take(Role.LLM, path)) for path in llms),
        tts=tuple(cast("TextToSpeech", shelf.take(Role.TTS, path)) for path in tts),
        vad=cast("VoiceDetector", shelf.take("vad", settings.VOICE_DETECTOR)),
        cache=shelf.cache,
    )


async def load(spec: AgentSpec) -> CallProviders:
    """Import the agent's providers beside the loop, and give them. Raises as ``resolve`` does.

    The imports alone would stall a loop with live calls for half a second.
    """
    stt, llms, tts = _paths(spec.providers)
    await asyncio.to_thread(_load_all, (stt, *llms, *tts, settings.VOICE_DETECTOR))
    return resolve(spec)


async def warm(spec: AgentSpec) -> None:
    """Load the agent's providers, then let each open what it keeps open. A failure of that is only logged."""
    providers = await load(spec)
    async with asyncio.TaskGroup() as tasks:
        for provider in (providers.stt, *providers.llms, *providers.tts, providers.vad):
            tasks.create_task(_warm_up(provider))


async def aclose_all() -> None:
    """Close the running loop's providers, each within two seconds, and forget them."""
    shelf = _shelves.pop(asyncio.get_running_loop(), None)
    if shelf is None:
        return
    async with asyncio.TaskGroup() as tasks:
        for provider in shelf.providers.values():
            tasks.create_task(_close(provider))


def missing(
    values: LazySettings | Any = settings,
    choice: ProviderChoice = ProviderChoice(),  # noqa: B008 (frozen)
) -> list[MissingSetting]:
    """List every chosen provider that cannot work for want of a setting; imports none of them."""
    found = []
    for role, name, setting in _chosen(values, choice):
        try:
            path = _path(role, name, values)
        except AgentError as error:
            found.append(MissingSetting(role, name, setting, str(error)))
            continue
        key = _KEYS.get(path, "")
        if key and not getattr(values, key) and not _needs_no_key(key, values):
            remedy = f"{name!r} is chosen for {role.upper()}; set {key}, or choose another with {setting}"
            found.append(MissingSetting(role, name, key, remedy))
    return found


def _needs_no_key(key: str, values: Any) -> bool:
    """An OpenAI-compatible server of one's own (Ollama, vLLM) usually asks for none."""
    return key == "OPENAI_API_KEY" and urlsplit(values.OPENAI_BASE_URL).hostname != "api.openai.com"


def _chosen(values: Any, choice: ProviderChoice) -> Iterable[tuple[Role, str, str]]:
    for role in Role:
        own = getattr(choice, role)
        default = values.DEFAULT_PROVIDERS[role.value]
        yield role, own or default, f"providers.{role}" if own else f"{role.upper()}_PROVIDER"
    for role, fallback in ((Role.LLM, choice.llm_fallback), (Role.TTS, choice.tts_fallback)):
        if fallback:
            yield role, fallback, f"providers.{role}_fallback"


def _paths(choice: ProviderChoice) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    paths: dict[Role, list[str]] = {role: [] for role in Role}
    for role, name, _ in _chosen(settings, choice):
        paths[role].append(_path(role, name, settings))
    return paths[Role.STT][0], tuple(paths[Role.LLM]), tuple(paths[Role.TTS])


def _path(role: Role, name: str, values: Any) -> str:
    known: dict[str, str] = values.PROVIDERS[role.value]
    if name in known:
        return known[name]
    if "." in name:
        return name
    message = f"provider {name!r} for {role.upper()} is unknown; use one of {', '.join(known)} or a dotted path"
    raise AgentError(message)


def _load(path: str) -> type:
    module, _, name = path.rpartition(".")
    try:
        loaded = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        message = f"provider {path!r} cannot be loaded: {error}"
        raise AgentError(message) from error
    return cast("type", loaded)


def _load_all(paths: Iterable[str]) -> None:
    for path in paths:
        _load(path)


async def _warm_up(provider: Any) -> None:
    warm_up = getattr(provider, "warm_up", None)
    if warm_up is None:
        return
    try:
        async with asyncio.timeout(_WARM_SECONDS):
            await warm_up()
    except (ProviderError, TimeoutError) as error:
        log.warning("a provider could not be warmed up: %s", error)


async def _close(provider: Any) -> None:
    if close := getattr(provider, "aclose", None):
        with suppress(TimeoutError, ProviderError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await close()
