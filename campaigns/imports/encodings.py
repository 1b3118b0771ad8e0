"""Which encoding a text file is in, from all of its bytes."""

import codecs
from typing import BinaryIO

from msgspec import Struct

from campaigns.errors import ImportRefusedError

_HEAD = 65_536
_SAMPLE = 65_536
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "a compressed file",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"SQLite": "a database",
}
_CANDIDATES = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "euc_kr", "big5"]
_WESTERN = "cp1252"
_LATIN = frozenset({"cp1250", "cp1252", "cp1254"})
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27})


class Encoding(Struct, frozen=True):
    """How to decode a file. ``lines``: its line feeds, hence at least its rows. ``is_mixed``: some lines differ."""

    name: str
    lines: int
    is_mixed: bool = False


def detect_encoding(file: BinaryIO) -> Encoding:
    """Read the whole file. Raises ``ImportRefusedError`` for what is no text."""
    file.seek(0)
    head = file.read(_HEAD)
    if not head.strip():
        message = "The file is empty. Export the list again and upload that file."
        raise ImportRefusedError(message)
    name = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None) or _wide(head)
    if name is None:
        refuse_other_kinds(head)
    file.seek(0)
    if name in {"utf-8-sig", None}:
        return _narrow(file, has_mark=name is not None)
    return Encoding(str(name), sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b"")))


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without a mark by where its zeros are: Latin text has one in every second byte."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return None


def refuse_other_kinds(head: bytes) -> None:
    """Raise ``ImportRefusedError`` for bytes that are no text."""
    kind = next((kind for mark, kind in _OTHERS.items() if head.startswith(mark)), None)
    if kind is None and len(head.translate(None, _CONTROLS)) < len(head) - len(head) // 1000:
        kind = "a binary file"
    if kind is not None:
        message = f"This is {kind}, not a list. Save the list as CSV UTF-8 or as an Excel workbook (.xlsx)."
        raise ImportRefusedError(message)


def _narrow(file: BinaryIO, *, has_mark: bool) -> Encoding:
    lines = good = bad = 0
    sample = bytearray()
    for line in file:
        lines += 1
        if line.isascii():
            continue
        try:
            line.decode()
        except UnicodeDecodeError:
            bad += 1
            if len(sample) < _SAMPLE:
                sample += line[:_SAMPLE]
        else:
            good += 1
    if not bad:
        return Encoding("utf-8-sig" if has_mark else "utf-8", lines)
    if good > has_mark:
        return Encoding("utf-8-sig" if has_mark else "utf-8", lines, is_mixed=True)
    return Encoding(_old_encoding(bytes(sample)), lines)


def _old_encoding(sample: bytes) -> str:
    """Tell by letters. What is as likely as any other is Western: short lists often fit several."""
    import charset_normalizer  # noqa: PLC0415 (only for files in old encodings)

    found = charset_normalizer.from_bytes(sample, cp_isolation=_CANDIDATES)
    best = found.best()
    if best is None:
        return _WESTERN
    alike = {name for match in found if match.chaos <= best.chaos for name in match.could_be_from_charset}
    return _WESTERN if _WESTERN in alike and best.encoding in _LATIN else best.encoding
