"""Mu-law and A-law by table, as ITU-T G.711 (11/88) defines them.

Both laws give a sample's magnitude eight segments of sixteen steps; a step is twice as large in each further segment.
Mu-law codes 14 bits and A-law 13, so a 16 bit sample first loses its lowest two or three bits by an arithmetic shift,
as in Sun's ``g711.c`` and Python's former ``audioop``: the tables agree with these on every sample and every code.
"""

import numpy as np
from numpy.typing import NDArray

from calls.enums import AudioEncoding
from calls.errors import AudioError

_SEGMENTS = np.repeat(np.arange(8), 16)
_STEPS = np.tile(np.arange(16), 8)
_SAMPLES = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
"""Every 16 bit sample, at the index of its unsigned value."""


def _mulaw() -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Give what each code decodes to and how each sample is coded (G.711 tables 2a and 2b: a bias of 33)."""
    decisions = np.left_shift(2 * _STEPS + 32, _SEGMENTS) - 33
    levels = (np.left_shift(2 * _STEPS + 33, _SEGMENTS) - 33) << 2
    codes = np.searchsorted(decisions[1:], np.abs(_SAMPLES >> 2), side="right")
    positive, negative = levels[::-1], -levels[::-1]  # all bits of a code are inverted on the line
    coded = np.where(_SAMPLES >= 0, 0xFF, 0x7F) - codes
    return np.concatenate([negative, positive]).astype("<i2"), coded.astype(np.uint8)


def _alaw() -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Do the same after G.711 tables 1a and 1b: no bias, the first segment as fine as the second."""
    fine = _SEGMENTS == 0
    shift = np.maximum(_SEGMENTS - 1, 0)
    decisions = np.where(fine, 2 * _STEPS, np.left_shift(2 * _STEPS + 32, shift))
    levels = np.where(fine, 2 * _STEPS + 1, np.left_shift(2 * _STEPS + 33, shift)) << 3
    shifted = _SAMPLES >> 3
    codes = np.searchsorted(decisions[1:], np.where(shifted < 0, ~shifted, shifted), side="right")
    line = np.arange(256) ^ 0x55  # even bits are inverted on the line
    decoded = np.where(line >= 0x80, levels[line & 0x7F], -levels[line & 0x7F])  # noqa: PLR2004 (the sign bit)
    coded = np.where(_SAMPLES >= 0, 0x80, 0) + codes ^ 0x55
    return decoded.astype("<i2"), coded.astype(np.uint8)


_TABLES = {AudioEncoding.MULAW: _mulaw(), AudioEncoding.ALAW: _alaw()}


def see_whole(pcm: bytes) -> bytes:
    """Give PCM16 as it is; raises ``AudioError`` for half a sample."""
    if len(pcm) % 2:
        message = f"16 bit audio has an even number of bytes, not {len(pcm)}"
        raise AudioError(message)
    return pcm


def samples_of(pcm: bytes) -> NDArray[np.int16]:
    """View little-endian PCM16; raises ``AudioError`` for half a sample."""
    return np.frombuffer(see_whole(pcm), "<i2")


def decode(audio: bytes, encoding: AudioEncoding) -> bytes:
    """Give PCM16 of audio in this encoding. Raises ``AudioError`` for PCM16 with half a sample."""
    if encoding is AudioEncoding.PCM16:
        return see_whole(audio)
    levels, _ = _TABLES[encoding]
    return levels[np.frombuffer(audio, np.uint8)].tobytes()


def encode(pcm: bytes, encoding: AudioEncoding) -> bytes:
    """Give PCM16 in this encoding. Raises ``AudioError`` for half a sample."""
    if encoding is AudioEncoding.PCM16:
        return see_whole(pcm)
    _, codes = _TABLES[encoding]
    return codes[samples_of(pcm).view(np.uint16)].tobytes()
