import pytest
from django.core.exceptions import ImproperlyConfigured

from vantum.env import Env


def test_an_empty_value_counts_as_absent() -> None:
    assert Env({"NAME": "  "}).text("NAME", "default") == "default"


def test_text_loses_the_white_space_around_it() -> None:
    assert Env({"NAME": " value\n"}).text("NAME") == "value"


@pytest.mark.parametrize(
    ("raw", "expected"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("FALSE", False), ("off", False)]
)
def test_a_flag_takes_the_usual_words(raw: str, expected: bool) -> None:
    assert Env({"DEBUG": raw}).flag("DEBUG", default=not expected) is expected


def test_absent_values_give_the_defaults() -> None:
    env = Env({})
    assert (env.flag("A", default=True), env.integer("B", 7), env.number("C", 0.5), env.items("D", ("x",))) == (
        True,
        7,
        0.5,
        ("x",),
    )


def test_items_are_separated_by_commas() -> None:
    assert Env({"HOSTS": "a.example, b.example,,"}).items("HOSTS") == ("a.example", "b.example")


def test_a_choice_is_spelled_as_the_code_spells_it() -> None:
    assert Env({"LOG_LEVEL": "debug"}).choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO")) == "DEBUG"


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda env: env.flag("X"), "X='maybe' is not a yes or no; write one of 1, 0, true, false, yes, no, on, off"),
        (lambda env: env.integer("X", 1), "X='maybe' is not a whole number"),
        (lambda env: env.number("X", 1), "X='maybe' is not a number"),
        (lambda env: env.choice("X", "a", ("a", "b")), "X='maybe' is not known; use one of a, b"),
        (lambda env: env.integer("Y", 1, least=1, most=65535), "Y=70000 is out of range; use 1 to 65535"),
        (lambda env: env.number("Y", 1, least=0.5, most=30), "Y=70000 is out of range; use 0.5 to 30"),
    ],
)
def test_a_value_that_cannot_be_read_names_its_variable_and_the_remedy(read: object, message: str) -> None:
    assert callable(read)
    with pytest.raises(ImproperlyConfigured) as error:
        read(Env({"X": "maybe", "Y": "70000"}))
    assert str(error.value) == message
