"""The recogniser's model of an agent's script: a small trigram model and the dictionary of its words.

It is made from the agent as shipped, never from what callers say, in a fraction of a second, and kept on disk under the
hash of all that went into it.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import msgspec
from pocketsphinx.lm import ArpaBoLM

from calls.providers.local.frames import Listen

LM, DICTIONARY = "script.lm", "script.dict"
_VERSION = 1
_SENTENCE_WEIGHT = 5
"""An example counts as often as this many sentences of the agent's own, whose words callers merely pick up."""
_CONTRACTED_WEIGHT = 2
_DISCOUNT = 0.3
_KEPT = 100
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_VARIABLE = re.compile(r"\{\{.*?\}\}")
_CONTRACTIONS = (
    (re.compile(r"\b(i) am\b"), r"\1'm"),
    (re.compile(r"\b(it|that|what|who|he|she|there) is\b"), r"\1's"),
    (re.compile(r"\b(you|we|they) are\b"), r"\1're"),
    (re.compile(r"\b(i|you|we|they) will\b"), r"\1'll"),
    (re.compile(r"\b(i|you|we) would\b"), r"\1'd"),
    (re.compile(r"\b(do|does|did|is|would) not\b"), r"\1n't"),
    (re.compile(r"\bcan ?not\b"), "can't"),
    (re.compile(r"\blet us\b"), "let's"),
)
Lookup = Callable[[str], str | None]
"""Gives a word's phones from the full dictionary, or None."""


def model_folder(listen: Listen, lookup: Lookup) -> tuple[Path, bool]:
    """Give the folder with the model, made where it is not there yet; True when it is to be removed after reading."""
    parts = msgspec.json.encode((_VERSION, listen.sentences, listen.context, sorted(listen.pronunciations.items())))
    cache = Path(listen.cache)
    kept = cache / hashlib.sha256(parts).hexdigest()
    if kept.is_dir():
        with suppress(OSError):
            os.utime(kept)
        return kept, False
    made = _make(listen, lookup, cache)
    try:
        made.rename(kept)
    except OSError:  # a full or read-only disk, or another call was faster
        return made, True
    _sweep(cache)
    return kept, False


def _make(listen: Listen, lookup: Lookup, cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=cache, prefix="."))
    except OSError:
        folder = Path(mkdtemp(prefix="vantum-model-"))
    phones = _Phones(lookup, listen.pronunciations)
    sentences = corpus(listen.sentences, listen.context, phones.known)
    model = ArpaBoLM(text="\n".join(sentences) + "\n", add_start=True, discount_mass=_DISCOUNT)
    model.compute()
    with (folder / LM).open("w") as file:
        model.write(file)
    words = sorted({word for sentence in sentences for word in sentence.split()})
    lines = [line for word in words for line in phones.lines(word)]
    (folder / DICTIONARY).write_text("\n".join(lines) + "\n")
    return folder


def corpus(sentences: Iterable[str], context: Iterable[str], known: Callable[[str], bool]) -> list[str]:
    """Write out the sentences that the model learns, in lower case and without words that nobody can pronounce."""
    found = []
    for sentence in sentences:
        words = _plain(sentence, known)
        contracted = words
        for pattern, short in _CONTRACTIONS:
            contracted = pattern.sub(short, contracted)
        found += [words] * _SENTENCE_WEIGHT
        if contracted != words:
            found += [_plain(contracted, known)] * _CONTRACTED_WEIGHT
    for text in context:
        found += [_plain(part, known) for part in re.split(r"[.!?:;]", _VARIABLE.sub(" ", text))]
    return [sentence for sentence in found if sentence]


def _plain(text: str, known: Callable[[str], bool]) -> str:
    return " ".join(word for word in _WORD.findall(text.lower().replace("\u2019", "'")) if known(word))


class _Phones:
    """How words sound: from the full dictionary, from the agent's pronunciations, or as two known words in one."""

    def __init__(self, lookup: Lookup, pronunciations: dict[str, str]) -> None:
        self._lookup = lookup
        self._read = {written.lower(): read.lower().split() for written, read in pronunciations.items()}
        self._found: dict[str, list[str]] = {}

    def known(self, word: str) -> bool:
        """Whether the word can be pronounced."""
        return bool(self._variants(word))

    def lines(self, word: str) -> list[str]:
        """Give the word's dictionary lines; further pronunciations are numbered from 2."""
        return [
            f"{word} {phones}" if number == 1 else f"{word}({number}) {phones}"
            for number, phones in enumerate(self._variants(word), 1)
        ]

    def _variants(self, word: str) -> list[str]:
        if word not in self._found:
            self._found[word] = self._listed(word) or self._joined(self._read.get(word, ())) or self._split(word)
        return self._found[word]

    def _listed(self, word: str) -> list[str]:
        found: list[str] = []
        while phones := self._lookup(word if not found else f"{word}({len(found) + 1})"):
            found.append(phones)
        return found

    def _joined(self, words: Sequence[str]) -> list[str]:
        phones = [self._lookup(word) for word in words]
        return [" ".join(filter(None, phones))] if phones and all(phones) else []

    def _split(self, word: str) -> list[str]:
        for cut in range(3, len(word) - 2):
            if found := self._joined((word[:cut], word[cut:])):
                return found
        return []


def _sweep(cache: Path) -> None:
    """Keep the models that were used last."""
    with suppress(OSError):
        folders = [folder for folder in cache.iterdir() if not folder.name.startswith(".")]
        for folder in sorted(folders, key=lambda folder: folder.stat().st_mtime)[:-_KEPT]:
            shutil.rmtree(folder, ignore_errors=True)
