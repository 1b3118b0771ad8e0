"""Keys and signs of waiting between what is spoken."""

import asyncio

import numpy as np

from calls.engine.playout import PlaybackClock
from calls.enums import AudioEncoding, Speaker
from calls.runner.between import Between
from calls.runner.simulation import run_virtually
from calls.wire.audio import AudioFormat, decode
from calls.wire.tones import KEYS, hold_pcm
from tests.calls.runner.fakes import FakeShell

LINE = AudioFormat(encoding=AudioEncoding.MULAW, rate=8000)


async def write(between: Between) -> None:
    while True:
        between.wake.clear()
        delay = await between.send()
        try:
            async with asyncio.timeout(delay):
                await between.wake.wait()
        except TimeoutError:
            pass


def power(samples: np.ndarray, hz: float) -> float:
    at = np.arange(len(samples)) / 8000
    return float(abs(np.sum(samples * np.exp(-2j * np.pi * hz * at))) / len(samples))


def test_keys_wait_for_what_is_playing_and_are_100_ms_on_and_off() -> None:
    async def scenario() -> None:
        shell, clock = FakeShell(), PlaybackClock()
        between = Between(shell, LINE, clock)
        writing = asyncio.create_task(write(between))
        clock.add(250, shell.now())
        await between.press("1#")
        assert round(shell.now() - shell.began, 3) == 0.65
        assert not between.is_pressing
        writing.cancel()
        begins = [at_ms for _, at_ms, _, _ in shell.sink.audio]
        assert round(begins[0]) == 250
        assert {side for side, *_ in shell.sink.audio} == {Speaker.AGENT}
        sound = np.frombuffer(decode(bytes(shell.door.audio[0]), AudioEncoding.MULAW), "<i2").astype(float)
        assert len(sound) == 3200
        for number, key in enumerate("1#"):
            on, off = sound[number * 1600 :][:800], sound[number * 1600 + 800 :][:800]
            others = {hz for pair in KEYS.values() for hz in pair} - set(KEYS[key])
            assert min(power(on, hz) for hz in KEYS[key]) > 10 * max(power(on, hz) for hz in others)
            assert not off.any()

    run_virtually(scenario())


def test_keys_whose_wish_was_withdrawn_are_not_pressed() -> None:
    async def scenario() -> None:
        shell, clock = FakeShell(), PlaybackClock()
        between = Between(shell, LINE, clock)
        clock.add(500, shell.now())
        pressing = asyncio.create_task(between.press("1"))
        await asyncio.sleep(0)
        pressing.cancel()
        await asyncio.gather(pressing, return_exceptions=True)
        assert await between.send() is None
        assert shell.door.audio == {}

    run_virtually(scenario())


def test_who_waits_hears_a_quiet_sign_until_everybody_has_released_him() -> None:
    async def scenario() -> None:
        shell = FakeShell()
        between = Between(shell, LINE, PlaybackClock())
        writing = asyncio.create_task(write(between))
        between.hold("transfer")
        between.hold("tool")
        await asyncio.sleep(4)
        between.release("tool")
        await asyncio.sleep(2)
        between.release("transfer")
        await asyncio.sleep(2)
        writing.cancel()
        sent_ms = len(shell.door.audio[0]) / 8
        assert 5900 <= sent_ms <= 6300
        heard = decode(bytes(shell.door.audio[0]), AudioEncoding.MULAW)
        period = np.frombuffer(hold_pcm(8000), "<i2").astype(float)
        assert np.abs(np.frombuffer(heard, "<i2")[: len(period)].astype(float) - period).max() < 40

    run_virtually(scenario())


def test_the_sign_is_quiet_and_begins_anew_for_the_next_who_waits() -> None:
    period = np.frombuffer(hold_pcm(8000), "<i2").astype(float) / 32_768
    assert 0.01 < np.abs(period).max() < 0.06
    assert abs(len(period) - 32_000) == 0
    assert not period[9000:].any()
