import numpy as np
import pytest

from calls.enums import AudioEncoding
from calls.errors import AudioError
from calls.wire.audio import decode, encode

EVERY_SAMPLE = range(-32_768, 32_768)
EVERY_CODE = bytes(range(256))


def pcm(samples: list[int] | range) -> bytes:
    return np.array(samples, "<i2").tobytes()


def mulaw_code(sample: int) -> int:
    """G.711 by bit arithmetic: the segment is the place of the highest bit, the step the four bits below it."""
    value = sample >> 2
    biased = min(abs(value) + 33, 8191)
    segment = biased.bit_length() - 6
    return ((0x80 if value < 0 else 0) | segment << 4 | (biased >> segment + 1) & 0xF) ^ 0xFF


def mulaw_sample(code: int) -> int:
    inverted = code ^ 0xFF
    magnitude = (((inverted & 0xF) * 2 + 33) << (inverted >> 4 & 7)) - 33
    return 4 * (-magnitude if inverted & 0x80 else magnitude)


def alaw_code(sample: int) -> int:
    value = sample >> 3
    magnitude = -value - 1 if value < 0 else value
    segment = max(magnitude.bit_length() - 5, 0)
    step = magnitude >> max(segment, 1) & 0xF
    return ((0 if value < 0 else 0x80) | segment << 4 | step) ^ 0x55


def alaw_sample(code: int) -> int:
    inverted = code ^ 0x55
    segment, step = inverted >> 4 & 7, inverted & 0xF
    magnitude = 2 * step + 1 if segment == 0 else (2 * step + 33) << segment - 1
    return 8 * (magnitude if inverted & 0x80 else -magnitude)


def test_every_sample_gets_the_mulaw_code_of_g711() -> None:
    assert encode(pcm(EVERY_SAMPLE), AudioEncoding.MULAW) == bytes(mulaw_code(sample) for sample in EVERY_SAMPLE)


def test_every_mulaw_code_gives_the_sample_of_g711() -> None:
    assert decode(EVERY_CODE, AudioEncoding.MULAW) == pcm([mulaw_sample(code) for code in EVERY_CODE])


def test_every_sample_gets_the_alaw_code_of_g711() -> None:
    assert encode(pcm(EVERY_SAMPLE), AudioEncoding.ALAW) == bytes(alaw_code(sample) for sample in EVERY_SAMPLE)


def test_every_alaw_code_gives_the_sample_of_g711() -> None:
    assert decode(EVERY_CODE, AudioEncoding.ALAW) == pcm([alaw_sample(code) for code in EVERY_CODE])


def test_values_printed_in_g711_are_met() -> None:
    # Table 2a (mu-law, 14 bits) and table 1a (A-law, 13 bits, even bits inverted): the ends and the middle.
    assert encode(pcm([0, 4 * 8158, -4 * 8158]), AudioEncoding.MULAW) == b"\xff\x80\x00"
    assert decode(b"\xff\x80\x00", AudioEncoding.MULAW) == pcm([0, 4 * 8031, -4 * 8031])
    assert encode(pcm([0, 8 * 4095, -8 * 4096]), AudioEncoding.ALAW) == b"\xd5\xaa\x2a"
    assert decode(b"\xd5\xaa\x2a", AudioEncoding.ALAW) == pcm([8, 8 * 4032, -8 * 4032])


@pytest.mark.parametrize("encoding", [AudioEncoding.MULAW, AudioEncoding.ALAW])
def test_what_was_decoded_is_coded_as_before(encoding: AudioEncoding) -> None:
    codes = EVERY_CODE.replace(b"\x7f", b"") if encoding is AudioEncoding.MULAW else EVERY_CODE  # its second zero
    assert encode(decode(codes, encoding), encoding) == codes


@pytest.mark.parametrize("encoding", list(AudioEncoding))
def test_half_a_sample_is_refused(encoding: AudioEncoding) -> None:
    with pytest.raises(AudioError, match="16 bit audio has an even number of bytes, not 3"):
        encode(b"abc", encoding)


def test_pcm_passes_as_it_is_but_not_half_a_sample() -> None:
    assert decode(b"abcd", AudioEncoding.PCM16) == b"abcd"
    with pytest.raises(AudioError, match="even number of bytes, not 1"):
        decode(b"a", AudioEncoding.PCM16)


@pytest.mark.parametrize("encoding", list(AudioEncoding))
def test_nothing_stays_nothing(encoding: AudioEncoding) -> None:
    assert (decode(b"", encoding), encode(b"", encoding)) == (b"", b"")
