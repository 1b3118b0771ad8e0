"""What a run of audio bytes means."""

from msgspec import Struct

from calls.enums import AudioEncoding

_SILENT = {AudioEncoding.PCM16: b"\0\0", AudioEncoding.MULAW: b"\xff", AudioEncoding.ALAW: b"\xd5"}


class AudioFormat(Struct, frozen=True, gc=False):
    """Encoding and rate (Hz) of mono audio."""

    encoding: AudioEncoding = AudioEncoding.PCM16
    rate: int = 16_000

    @property
    def sample_bytes(self) -> int:
        """PCM16 has two bytes a sample, the companded encodings one."""
        return 2 if self.encoding is AudioEncoding.PCM16 else 1

    @property
    def bytes_per_second(self) -> int:
        """Give the size of one second."""
        return self.rate * self.sample_bytes

    def duration_ms(self, size: int) -> float:
        """How long ``size`` bytes sound."""
        return size * 1000 / self.bytes_per_second


def silence(audio: AudioFormat, duration_ms: float) -> bytes:
    """Give silence of this length, to the nearest sample. In A-law it is the level next to zero: it has no zero."""
    return _SILENT[audio.encoding] * max(0, round(audio.rate * duration_ms / 1000))
