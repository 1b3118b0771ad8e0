import numpy as np
import pytest

from calls.enums import AudioEncoding
from calls.errors import AudioError
from calls.wire.audio import AudioFormat, Converter, Resampler, decode, encode, silence
from tests.calls.sounds import to_pcm, tone

PCM16, MULAW, ALAW = AudioEncoding.PCM16, AudioEncoding.MULAW, AudioEncoding.ALAW


def test_a_format_knows_sizes_and_durations() -> None:
    assert [AudioFormat(encoding, 8_000).duration_ms(1_600) for encoding in AudioEncoding] == [100, 200, 200]
    assert AudioFormat() == AudioFormat(PCM16, 16_000)


@pytest.mark.parametrize("encoding", list(AudioEncoding))
def test_silence_is_as_long_as_asked_and_silent(encoding: AudioEncoding) -> None:
    quiet = silence(AudioFormat(encoding, 22_050), 20)
    heard = np.frombuffer(decode(quiet, encoding), "<i2")
    assert (len(heard), int(np.abs(heard).max())) == (441, 8 if encoding is ALAW else 0)
    assert encode(decode(quiet, encoding), encoding) == quiet


def test_no_silence_is_no_bytes() -> None:
    assert (silence(AudioFormat(), 0), silence(AudioFormat(), -5)) == (b"", b"")


@pytest.mark.parametrize("encoding", list(AudioEncoding))
def test_equal_formats_pass_without_a_copy(encoding: AudioEncoding) -> None:
    converter = Converter(AudioFormat(encoding, 8_000), AudioFormat(encoding, 8_000))
    audio = bytes(range(256))
    assert converter.feed(audio) is audio
    assert converter.flush() == b""


def test_code_and_rate_change_together_piece_by_piece() -> None:
    pcm = to_pcm(tone(16_000, 500, 16_000))
    resampler = Resampler(16_000, 8_000)
    wanted = encode(resampler.feed(pcm) + resampler.flush(), MULAW)
    converter = Converter(AudioFormat(PCM16, 16_000), AudioFormat(MULAW, 8_000))
    made = [converter.feed(pcm[start : start + 640]) for start in range(0, len(pcm), 640)]
    assert b"".join(made) + converter.flush() == wanted


def test_one_code_becomes_the_other() -> None:
    converter = Converter(AudioFormat(MULAW, 8_000), AudioFormat(ALAW, 8_000))
    audio = bytes(range(256))
    assert converter.feed(audio) + converter.flush() == encode(decode(audio, MULAW), ALAW)


@pytest.mark.parametrize("target", [AudioFormat(PCM16, 16_000), AudioFormat(PCM16, 8_000), AudioFormat(ALAW, 16_000)])
def test_half_a_sample_is_refused_and_the_next_piece_follows_the_last_good_one(target: AudioFormat) -> None:
    pcm = to_pcm(tone(16_000, 500, 1_600))
    source = AudioFormat(PCM16, 16_000)
    undisturbed, disturbed = Converter(source, target), Converter(source, target)
    wanted = undisturbed.feed(pcm) + undisturbed.flush()
    made = disturbed.feed(pcm[:640])
    with pytest.raises(AudioError, match="even number of bytes, not 5"):
        disturbed.feed(b"12345")
    assert made + disturbed.feed(pcm[640:]) + disturbed.flush() == wanted


def test_a_rate_out_of_range_is_refused_at_once() -> None:
    with pytest.raises(AudioError, match="not from 4000 to 8000"):
        Converter(AudioFormat(PCM16, 4_000), AudioFormat(PCM16, 8_000))


def test_any_bytes_give_audio_or_an_audio_error() -> None:
    rng = np.random.default_rng(0)
    formats = [AudioFormat(encoding, rate) for encoding in AudioEncoding for rate in (8_000, 11_025, 48_000)]
    for _ in range(300):
        source, target = (formats[int(index)] for index in rng.integers(0, len(formats), 2))
        audio = rng.bytes(int(rng.integers(0, 400)))
        converter = Converter(source, target)
        if source.encoding is PCM16 and len(audio) % 2:
            with pytest.raises(AudioError):
                converter.feed(audio)
        else:
            made = converter.feed(audio) + converter.flush()
            assert target.duration_ms(len(made)) == pytest.approx(source.duration_ms(len(audio)), abs=0.125)
