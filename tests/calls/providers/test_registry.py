import asyncio
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from pytest_django.fixtures import Settings

from calls.engine.agent import AgentSpec, ProviderChoice
from calls.enums import Role
from calls.errors import AgentError, ProviderUnavailableError
from calls.providers import registry
from calls.providers.registry import MissingSetting

HERE = "tests.calls.providers.test_registry"


class Plain:
    """Stands for any provider: counts what is done with it."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.closed = 0
        self.warmed = 0

    async def warm_up(self) -> None:
        self.warmed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Cold(Plain):
    """Cannot be warmed up, and does not close."""

    async def warm_up(self) -> None:
        message = "gone"
        raise ProviderUnavailableError(message, provider="cold", role=Role.TTS)

    async def aclose(self) -> None:
        await asyncio.Event().wait()


def spec(**choice: str) -> AgentSpec:
    chosen = {"stt": f"{HERE}.Plain", "llm": f"{HERE}.Plain", "tts": f"{HERE}.Plain", **choice}
    return AgentSpec(name="Ada", prompt="", providers=ProviderChoice(**chosen))


@pytest.fixture(autouse=True)
def _detector(settings: Settings) -> None:
    settings.VOICE_DETECTOR = f"{HERE}.Plain"


async def test_providers_are_made_once_and_given_to_every_call() -> None:
    first, second = registry.resolve(spec()), registry.resolve(spec(tts_fallback=f"{HERE}.Cold"))
    assert first.stt is second.stt
    assert first.cache is second.cache
    assert [type(one).__name__ for one in first.tts] == ["Plain"]
    assert [type(one).__name__ for one in second.tts] == ["Plain", "Cold"]
    assert (len(first.llms), len(second.llms)) == (1, 1)
    await registry.aclose_all()


def test_every_event_loop_has_its_own() -> None:
    async def stt() -> object:
        return registry.resolve(spec()).stt

    assert asyncio.run(stt()) is not asyncio.run(stt())


async def test_closing_closes_each_and_the_next_call_gets_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_CLOSE_SECONDS", 0.1)
    before = registry.resolve(spec(tts=f"{HERE}.Cold"))
    await registry.aclose_all()
    await registry.aclose_all()
    assert isinstance(before.stt, Plain)
    assert before.stt.closed == 1
    assert registry.resolve(spec()).stt is not before.stt
    await registry.aclose_all()


async def test_warming_warms_what_can_be_warmed_and_only_logs_what_cannot(caplog: pytest.LogCaptureFixture) -> None:
    await registry.warm(spec(tts=f"{HERE}.Cold"))
    model = registry.resolve(spec()).llms[0]
    assert isinstance(model, Plain)
    assert model.warmed == 1
    assert "could not be warmed up: cold: gone" in caplog.text
    await registry.aclose_all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("depgram", "provider 'depgram' for STT is unknown; use one of deepgram, local, scripted or a dotted path"),
        ("calls.providers.nowhere.Nobody", "provider 'calls.providers.nowhere.Nobody' cannot be loaded"),
        (f"{HERE}.Nobody", "cannot be loaded"),
    ],
)
async def test_a_name_that_leads_nowhere_says_what_to_write(name: str, message: str) -> None:
    with pytest.raises(AgentError, match=message):
        registry.resolve(spec(stt=name))


def configured(**more: object) -> SimpleNamespace:
    return SimpleNamespace(
        PROVIDERS=django_settings.PROVIDERS,
        DEFAULT_PROVIDERS={"stt": "deepgram", "llm": "openai", "tts": "cartesia"},
        **{
            "DEEPGRAM_API_KEY": "",
            "OPENAI_API_KEY": "",
            "OPENAI_BASE_URL": "https://api.openai.com/v1",
            "CARTESIA_API_KEY": "",
            **more,
        },
    )


def test_all_that_is_missing_is_named_at_once() -> None:
    missing = registry.missing(configured())
    assert missing == [
        MissingSetting(Role.STT, "deepgram", "DEEPGRAM_API_KEY", missing[0].remedy),
        MissingSetting(Role.LLM, "openai", "OPENAI_API_KEY", missing[1].remedy),
        MissingSetting(Role.TTS, "cartesia", "CARTESIA_API_KEY", missing[2].remedy),
    ]
    assert missing[0].remedy == (
        "'deepgram' is chosen for STT; set DEEPGRAM_API_KEY, or choose another with STT_PROVIDER"
    )


def test_a_language_model_of_ones_own_needs_no_key() -> None:
    values = configured(DEEPGRAM_API_KEY="k", CARTESIA_API_KEY="k", OPENAI_BASE_URL="http://localhost:11434/v1")
    assert registry.missing(values) == []


def test_an_unknown_name_is_missing_too_and_an_agents_choice_is_looked_at() -> None:
    values = configured(DEEPGRAM_API_KEY="k", OPENAI_API_KEY="k")
    missing = registry.missing(values, ProviderChoice(stt="depgram", tts="local", tts_fallback="cartesia"))
    assert [(one.role, one.provider, one.setting) for one in missing] == [
        (Role.STT, "depgram", "providers.stt"),
        (Role.TTS, "cartesia", "CARTESIA_API_KEY"),
    ]


def test_sdks_that_are_not_used_are_not_imported() -> None:
    code = (
        "import asyncio, sys, django; django.setup()\n"
        "from calls.engine.agent import AgentSpec\n"
        "from calls.providers import registry\n"
        "async def go():\n"
        "    registry.missing()\n"
        "    await registry.warm(AgentSpec(name='Ada', prompt=''))\n"
        "    await registry.aclose_all()\n"
        "asyncio.run(go())\n"
        "print(sorted({'deepgram', 'openai', 'cartesia', 'twilio', 'httpx2'} & set(sys.modules)))\n"
    )
    local = {"STT_PROVIDER": "local", "LLM_PROVIDER": "local", "TTS_PROVIDER": "local"}
    environment = {**os.environ, **local, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
