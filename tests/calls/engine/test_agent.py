import msgspec
import pytest

from calls.engine.agent import AgentSpec, Telephone


def test_a_stored_agent_is_checked_and_the_wrong_field_is_named() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"patience_ms"):
        msgspec.convert({"name": "Ada", "prompt": "", "endpointing": {"patience_ms": -1}}, AgentSpec)


def test_a_notice_that_would_have_to_wait_for_a_variable_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"telephone\.notice"):
        msgspec.convert({"name": "Ada", "prompt": "", "telephone": {"notice": "Hi {{first_name|you}}."}}, AgentSpec)


@pytest.mark.parametrize("digits", ["0", "*0#", ""])
def test_keys_in_a_menu_are_keys_of_a_telephone(digits: str) -> None:
    assert msgspec.convert({"ivr_digits": digits}, Telephone).ivr_digits == digits
    with pytest.raises(msgspec.ValidationError, match="ivr_digits"):
        msgspec.convert({"ivr_digits": f"{digits}x"}, Telephone)


def test_an_agent_survives_its_own_encoding() -> None:
    spec = AgentSpec(name="Ada", prompt="Be kind to {{name|you}}.", goodbye="Bye.")
    assert msgspec.json.decode(msgspec.json.encode(spec), type=AgentSpec) == spec


def test_an_agent_stored_before_a_field_existed_has_its_default() -> None:
    assert msgspec.convert({"name": "Ada", "prompt": ""}, AgentSpec).goodbye == "Thank you for calling. Goodbye."
