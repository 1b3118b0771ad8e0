import msgspec
import pytest

from calls.engine.agent import AgentSpec


def test_a_stored_agent_is_checked_and_the_wrong_field_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"patience_ms"):
        msgspec.convert({"name": "Ada", "prompt": "", "endpointing": {"patience_ms": -1}}, AgentSpec)


def test_an_agent_survives_its_own_encoding() -> None:
    spec = AgentSpec(name="Ada", prompt="Be kind to {{name|you}}.", goodbye="Bye.")
    assert msgspec.json.decode(msgspec.json.encode(spec), type=AgentSpec) == spec


def test_an_agent_stored_before_a_field_existed_has_its_default() -> None:
    assert msgspec.convert({"name": "Ada", "prompt": ""}, AgentSpec).goodbye == "Thank you for calling. Goodbye."
