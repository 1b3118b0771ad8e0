import asyncio

from calls.consumers.phone.keys import KEY_SECONDS, KeyPad
from calls.runner.simulation import run_virtually


def pressed(*steps: str | float) -> list[tuple[float, str]]:
    """Press keys and wait seconds; give what was told, and when."""

    async def scenario() -> list[tuple[float, str]]:
        loop = asyncio.get_running_loop()
        told: list[tuple[float, str]] = []
        pad = KeyPad(lambda keys: told.append((round(loop.time(), 3), keys)))
        for step in steps:
            if isinstance(step, str):
                pad.press(step)
            else:
                await asyncio.sleep(step)
        await asyncio.sleep(10)
        return told

    return run_virtually(scenario())


def test_keys_that_follow_one_another_are_one_answer() -> None:
    assert pressed("1", 1.9, "2", 3.0, "3") == [(1.9 + KEY_SECONDS, "12"), (4.9 + KEY_SECONDS, "3")]


def test_a_hash_key_ends_an_answer_at_once() -> None:
    assert pressed("4", "2", "#", 0.5, "7") == [(0.0, "42#"), (0.5 + KEY_SECONDS, "7")]


def test_very_many_keys_are_given_on_and_the_next_ones_begin_anew() -> None:
    assert pressed(*("5" * 33)) == [(0.0, "5" * 32), (KEY_SECONDS, "5")]


def test_a_stopped_pad_tells_nothing() -> None:
    async def scenario() -> list[str]:
        told: list[str] = []
        pad = KeyPad(told.append)
        pad.press("1")
        pad.stop()
        await asyncio.sleep(5)
        return told

    assert run_virtually(scenario()) == []
