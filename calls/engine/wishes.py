"""What a caller may ask for that no model is asked about: no more calls, and not to be recorded.

Both are decided by phrases, so that the same words always count. English is known well, the plainest sayings of a few
other languages too. A recogniser on a telephone line mishears; the commonest slips stand beside the words ("lisp").
"""

import re
from enum import StrEnum

from calls.engine.endpointing import words_of


class Wish(StrEnum):
    """What was asked for."""

    NO_CALLS = "no_calls"
    NO_RECORDING = "no_recording"


_WORDS = {
    "call": "call|ring|phone|dial|contact|bother|disturb|harass|cold call|robo call",
    "calling": "calling|ringing|phoning|dialing|dialling|contacting|bothering|harassing|cold calling|robo calling",
    "me": "me|us|here|this (?:number|phone|house|line)|"
    "my (?:number|phone|house|home|cell|mobile|mother|mom|father|dad|wife|husband|parents|office)|our (?:number|house)",
    "again": "again|anymore|any more|any longer|ever|no more|back",
    "not": "don't|do not|dont|never|not to|not|you dare",
    "my_number": "me|us|my (?:name|number|phone number|phone|details|information)|this number|our (?:name|number)",
    "list": "lists?|lisp|names?|databases?|data base|systems?|records|files|register|registry",
    "off": "take|tape|remove|get|strike|delete|scratch|cross|pull|erase|wipe|knock",
    "want": "want|wanna|need|wish|like|care",
    "politely": "please|now|right now|thanks|thank you|okay|ok|at once|immediately|today",
    "record": "record|tape|recording|taping",
}

_NO_CALLS = r"""
    (?:stop|quit|cease|stops) (?:<calling>)(?: (?:<me>))?(?= (?:<politely>|<again>|all|every|at|on|or|and|you|i|
    + it's|this is|so|with|about|from|for|these|because|we|or)\b|$)
    (?:<not>)(?: \w+){0,2} (?:<call>)(?: (?:<me>))? (?:<again>)\b
    (?:<not>)(?: ever)? (?:<call>) (?:<me>)(?: (?:<politely>))*$
    (?:not|never|don't|do not)(?: \w+)? (?:<want>)(?: to)?(?: \w+){0,3} (?:called|contacted|phoned|hear from you)\b
    (?:not|never|don't|do not)(?: \w+)? (?:<want>) you(?: guys| people)?(?: to)? (?:<call>|<calling>)(?:
    +  (?:<me>))?(?: (?:<politely>|<again>))*$
    (?:not|never|don't|do not)(?: \w+)? (?:<want>)(?: to (?:get|have|receive))? (?:any |any more |more |these |
    + those |your |such )+(?:\w+ )?calls?(?: from (?:you|anybody|anyone).*| (?:<politely>|<again>))*$
    (?:<off>) (?:<my_number>)(?: off| from| out)+(?: of)?(?: (?:the|your|that|this|these|any|all|whatever))*
    + (?: \w+){0,2} (?:<list>)\b
    (?:<off>) (?:<my_number>) off(?: (?:<politely>))*$
    (?:remove|delete|erase|lose|forget) (?:<my_number>)(?: (?:<politely>|completely|permanently))*$
    (?:do not|don't|dont|no) (?:call|contact) (?:<list>)\b
    no more (?:\w+ )?calls\b
    (?:opt|opting|opted|opt me|opt us|hopped) out\b
    unsubscribe
    (?:leave|leaf) (?:me|us) (?:alone|in peace)\b
    (?:revoke|withdraw) my (?:consent|permission)
    no (?:me|nos) (?:llame|llamen|llames|marque|marquen)(?: más| nunca|$)|no vuelvan? a llamar\w*|dejen? de llamar\w*
    (?:rufen|ruf) sie (?:mich|uns|hier)(?: bitte)? (?:nie|nicht) (?:wieder|mehr)|keine (?:weiteren )?anrufe mehr
    ne (?:m'|me |nous )?(?:appelez|rappelez|appelle|téléphonez) plus|arrêtez de (?:m'|me |nous )?(?:appeler|
    + téléphoner)
    non (?:mi|ci) (?:chiami|chiamate|richiamate) più|(?:smetta|smettete) di chiamar\w+
    (?:não|nunca) (?:me )?(?:ligue|liguem) mais|parem? de (?:me )?ligar
"""

_NOT_NO_CALLS = r"""
    (?<!if you )(?<!unless you )(?:don't|do not|dont|never|won't|wouldn't|can't|didn't|did not) (?:ever )?
    + (?:stop|quit|cease)
    (?:did|have|has|had) (?:you|they|he|she) (?:stop|quit)
    (?:don't|do not|wouldn't) mind
    (?:you|they|he|she|i|nobody|we) (?:did not|didn't|do not|don't|would not|wouldn't|have not|haven't|never)
    + (?: \w+)? (?:call|contact|ring|phone|calls|called)\b
    not that i
"""

_NO_RECORDING = r"""
    (?:not|never|don't|do not|dont|rather not|refuse|object|hate)(?: \w+){0,6} (?:being|be|get|getting|am)
    +  (?:recorded|taped)
    (?:not|never|don't|do not|dont)(?: \w+){0,3} (?:<record>) (?:me|us|this|it|that|the call|our|my|anything)\b
    (?:stop|quit|cease|end|no|without) (?:the |this |that |your |any )?(?:recording|taping|tape)\b
    (?:turn|switch|shut) (?:off )?(?:the |that |this |your )?(?:recording|recorder|tape)(?: off)?
    (?:don't|do not|didn't|did not|not|never)(?: \w+)? (?:want|wanna|like|agree|consent|approve|okay|comfortable|
    + happy|allow|permit)(?: \w+){0,5} (?:recorded|recording|taped|record)\b
    (?:object|refuse)(?: \w+){0,4} (?:recorded|recording)
    (?:no|not have|don't have)(?: \w+)? (?:permission|consent)(?: \w+){0,2} (?:record|recording)
    no (?:me|nos) grab\w+|nicht aufgezeichnet werden|nicht aufzeichnen|pas (?:être )?enregistré\w*|non
    +  (?:mi )?regist\w+
"""

_NOT_NO_RECORDING = r"""
    (?:don't|do not|wouldn't|not) (?:mind|care|matter)
    (?:why|did you|do you|are you) (?:not )?record
"""


def _compiled(block: str) -> re.Pattern[str]:
    """Make one expression of a block's lines; a line that begins with a plus goes on with the one before."""
    lines = [line.strip() for line in block.replace("\n    + ", "").splitlines() if line.strip()]
    text = "|".join(rf"(?<![\w'])(?:{line})" for line in lines)
    for name, words in _WORDS.items():
        text = text.replace(f"<{name}>", words)
    return re.compile(text)


_SAID = {Wish.NO_CALLS: _compiled(_NO_CALLS), Wish.NO_RECORDING: _compiled(_NO_RECORDING)}
_MEANT_OTHERWISE = {Wish.NO_CALLS: _compiled(_NOT_NO_CALLS), Wish.NO_RECORDING: _compiled(_NOT_NO_RECORDING)}


def find_wish(text: str) -> Wish | None:
    """Give what the words ask for; the wish for no more calls goes first. None: neither."""
    words = " ".join(words_of(text))
    return next((wish for wish in Wish if _is_said(wish, words)), None)


def _is_said(wish: Wish, words: str) -> bool:
    """Whether the wish is in the words, and not only inside of something that means the contrary."""
    rest = _MEANT_OTHERWISE[wish].sub(" * ", words)
    return _SAID[wish].search(rest) is not None
