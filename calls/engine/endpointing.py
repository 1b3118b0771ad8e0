"""What the caller's words say about whether he has finished, and whether they ask for the floor at all.

The lists are English, with the backchannels of a few other languages; where nothing is known of a language only
punctuation speaks. A wrong "unfinished" costs some hundred milliseconds, a wrong "finished" interrupts the caller.
"""

import re

from calls.engine.agent import Endpointing

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

_TRAILING_OPEN = (",", "，", "、", "،", ":", "：", ";", "-", "–", "—", "...", "…", "(")

_HANGING_WORDS = frozenset(
    """
    a an the this my your his her its our their some any every each no another
    and or but so because if when while although though since unless until that than as like which whose where
    of to in on at by for from with without about into onto over under between through during after before
    is are was were am be been being has have had do does did will would shall should can could may might must
    i we they he she i'm you're we're they're he's she's it's i'll we'll i'd i've there's that's
    um uh er erm well maybe perhaps actually also just very really not don't
    """.split()
)

_HANGING_ENDS = (
    "i want", "i need", "i think", "i mean", "i guess", "you know", "let me", "let's see", "going to", "want to",
    "kind of", "sort of", "a couple", "as well", "for example", "such as", "can you", "could you", "would you",
    "and then", "but then", "so then", "and also", "wait a", "hold on", "let me see", "let me think",
)  # fmt: skip

_YES_OR_NO = frozenset("yes yeah yep yup no nope sure".split())
_AUXILIARIES = frozenset(
    """
    am is are was were have has had do does did will would can could should don't not
    """.split()
)
_SUBJECTS = frozenset("i you he she it we they that this there".split())
_SHORT_ANSWER_LENGTHS = (3, 4)
"""So many words are an answer where they go from yes or no over a subject to an auxiliary ("no, it is not")."""
_WHOLE_ENDS = ("not really", "rather not", "why not", "of course not", "probably not", "maybe not", "go on", "carry on")
_HESITATIONS = frozenset("hm hmm hmmm mm mmm ah oh".split())
"""Sounds that, alone, say that the caller still thinks."""

_DIGIT_WORDS = frozenset("zero oh one two three four five six seven eight nine double triple".split())
_NUMBER_WORDS = frozenset("number phone account card order reference serial digits".split())
_CODE_WORDS = frozenset("code pin zip postcode passcode".split())
_DICTATED_DIGITS = 7
"""A dictated number with fewer digits than this may well go on."""
_CODE_DIGITS = 4
_DICTATED_GROUPS = 3
"""So many digits one by one are a dictation, even where no word announces a number."""

_SOUNDS = frozenset(
    """
    uh huh uhhuh uhuh um umm er erm eh ah aha oh ooh m mm mmm mhm mhmm mmhm mmhmm hm hmm hmmm hum ahem huh
    mhmh äh ähm öh euh ähä はい うん ええ 嗯 呃 哦 啊 음 응 네
    """.split()
)

_FAREWELL = re.compile(
    r"(?:(?:okay|ok|yes|yeah|all right|alright|great|well|and|so|thanks(?: a lot| so much| again)?|sir|ma'am"
    r"|thank you(?: very much| so much)?|cheers|you too|same to you|likewise|bye|goodbye|good bye|bye bye|good night"
    r"|see you(?: then| later| soon)?|talk to you(?: later| soon)|take care|good day|later|so long"
    r"|have a (?:nice|good|great|lovely|wonderful|sunny|blessed) (?:day|evening|afternoon|weekend|one|time|night)"
    r"|tschüss|auf wiederhören|ciao|adiós|hasta luego|au revoir|arrivederci|tchau)(?: |$))+"
)
"""Alone, over the agent's last words, these keep nobody on the line."""

_ASSENTS = {
    "en": """yeah|yep|yup|yes|right|okay|ok|okey|k|sure|i see|got it|of course|alright|all right|great|good|nice|cool
             |wow|exactly|indeed|true|go on|i understand|understood|makes sense|fine|interesting|really|perfect|gotcha
             |fair enough|sounds good|that's right|that's true|i know|absolutely|definitely""",
    "de": "ja|jo|jep|genau|okay|ok|klar|stimmt|richtig|gut|alles klar|ach so|verstehe|aha|sicher",
    "es": "sí|si|claro|vale|ok|okay|bueno|ya|entiendo|de acuerdo|por supuesto|exacto",
    "fr": "oui|ouais|d'accord|ok|okay|bien|je vois|bien sûr|exact|voilà|compris",
}


def words_of(text: str) -> list[str]:
    """Give the words of a text in lower case without punctuation."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def is_same_words(first: str, second: str) -> bool:
    """Whether two transcripts differ in nothing but case, punctuation and spacing."""
    return "".join(words_of(first)) == "".join(words_of(second))


def is_unfinished(text: str, language: str = "en-US", *, question: str = "") -> bool:
    """Whether the words sound as if more will follow. ``question``: what they answer, where the agent had asked."""
    text = text.strip()
    if not text or text.endswith(("?", "!", "？", "！", "。", "؟")):
        return False
    if text.endswith(_TRAILING_OPEN):
        return True
    if not language.lower().startswith("en"):
        return False
    words = words_of(text)
    if not words:
        return False
    if _is_whole(words):
        return False
    is_hanging = words[-1] in _HANGING_WORDS or " ".join(words).endswith(_HANGING_ENDS)
    return is_hanging or (len(words) == 1 and words[0] in _HESITATIONS) or _is_dictating(words, words_of(question))


def _is_whole(words: list[str]) -> bool:
    """Whether the words make an answer although their last one often hangs in the air."""
    if " ".join(words).endswith(_WHOLE_ENDS):
        return True
    if len(words) not in _SHORT_ANSWER_LENGTHS:
        return False
    return words[0] in _YES_OR_NO and words[1].split("'")[0] in _SUBJECTS and words[-1] in _AUXILIARIES


def _is_dictating(words: list[str], asked: list[str]) -> bool:
    """Whether the text ends in a number that looks too short to be whole: announced, asked for, or digit by digit."""
    count = groups = 0
    for word in reversed(words):
        if word.isdigit():
            count += len(word)
        elif word in _DIGIT_WORDS:
            count += 1
        else:
            break
        groups += 1
    if not groups:
        return False
    named = {*words, *asked}
    if not _CODE_WORDS.isdisjoint(named):
        return count < _CODE_DIGITS
    if not _NUMBER_WORDS.isdisjoint(named):
        return count < _DICTATED_DIGITS
    return groups >= _DICTATED_GROUPS and count < _DICTATED_DIGITS


def patience_ms(text: str, settings: Endpointing, language: str = "en-US", *, question: str = "") -> int:
    """How much silence shows that the caller has finished, after these words."""
    is_open = is_unfinished(text, language, question=question)
    return settings.unfinished_patience_ms if is_open else settings.patience_ms


def eager_ms(text: str, settings: Endpointing, language: str = "en-US", *, question: str = "") -> int | None:
    """How much silence makes a reply worth preparing, after these words; None: never."""
    if not settings.eager_ms:
        return None
    is_open = is_unfinished(text, language, question=question)
    return max(settings.eager_ms, settings.patience_ms) if is_open else settings.eager_ms


def is_backchannel(text: str, language: str = "en-US", *, is_asked: bool = False) -> bool:
    """Whether the words only say "I am listening". No words at all are a backchannel.

    ``is_asked``: the agent was asking something, so an assent ("yeah", "sure") is an answer; a mere sound is none.
    """
    words = words_of(text)
    assents = frozenset() if is_asked else _assents(language)
    at = 0
    while at < len(words):
        if words[at] in _SOUNDS:
            at += 1
            continue
        length = next((n for n in (3, 2, 1) if " ".join(words[at : at + n]) in assents), 0)
        if not length:
            return False
        at += min(length, len(words) - at)
    return True


def is_farewell(text: str) -> bool:
    """Whether the words are a goodbye and nothing else."""
    return _FAREWELL.fullmatch(" ".join(words_of(text))) is not None


def _assents(language: str) -> frozenset[str]:
    return _ASSENT_SETS.get(language[:2].lower(), _ASSENT_SETS["en"])


_ASSENT_SETS = {
    code: frozenset(" ".join(phrase.split()) for phrase in phrases.split("|")) for code, phrases in _ASSENTS.items()
}
