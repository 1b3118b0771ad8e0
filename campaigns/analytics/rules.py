"""The judge without a language model: what can be said of a call from its words, its events and its figures.

It is modest on purpose. What it cannot know it leaves empty, and its summary names facts, not impressions.
"""

import re
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from calls.enums import AnsweredBy, EndReason, EventKind, Speaker, label
from calls.providers.scripted.intents import IntentMatcher
from campaigns.analytics.evidence import Evidence
from campaigns.enums import Disposition, Sentiment
from campaigns.findings import ActionItem, Findings

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|today|tonight|next week"
_HOUR = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|\d{1,2}(?::\d\d)?)(?: ?[ap]\.?m\.?)?"
_AGREED = re.compile(
    rf"\b(?:{_DAY})\b[^.?!]*\bit is\b|\b(?:booked|scheduled|confirmed|see you|put you down)\b[^.?!]*"
    rf"\b(?:{_DAY}|at {_HOUR})\b",
    re.IGNORECASE,
)
_WILL_CALL = re.compile(r"\b(?:will|'ll) (?:call|ring|phone) you\b", re.IGNORECASE)
_WRONG_NUMBER = re.compile(
    r"\bwrong (?:number|person)\b|\bno ?(?:one|body) (?:here )?(?:by|with|of) that name\b|\bnobody called\b"
    r"|\bdoes(?:n't| not) live here\b",
    re.IGNORECASE,
)
_DECLINED = re.compile(
    r"\bnot (?:really |very |at all )?interested\b|\bno,? thank(?:s| you)\b"
    r"|\b(?:don't|do not) (?:want|need) (?:it|that|any|this)\b"
    r"|\bnot for (?:me|us)\b|\bleave me alone\b|\bnot (?:going to|gonna) (?:buy|do)\b|\bno interest\b",
    re.IGNORECASE,
)
_AGREEABLE = re.compile(
    r"^(?:yes|yeah|yep|sure|okay|ok|of course|go ahead|why not|all right|absolutely|definitely)\b"
    r"|\bsounds (?:good|great|interesting)\b|\btell me more\b|\b(?:i am|i'm) interested\b|\bwould like (?:an?|to)\b",
    re.IGNORECASE,
)
_WANTS_PERSON = re.compile(r"\b(?:human|real person|real people|somebody real|manager|colleague)\b", re.IGNORECASE)
_WARM = re.compile(r"\b(?:thank(?:s| you)|great|wonderful|perfect|lovely|nice|awesome|appreciate)\b", re.IGNORECASE)
_COLD = re.compile(
    r"\b(?:annoy\w*|angry|ridiculous|scam|fraud|waste|rude|stop (?:calling|it)|leave me alone|terrible|hate|spam)\b",
    re.IGNORECASE,
)
_NAMES_ITSELF = re.compile(r"\b(?:ai|artificial|automated|virtual|digital) (?:assistant|agent|voice)\b", re.IGNORECASE)

_MACHINES = {"machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax"}
_LEFT_TO_MACHINES = {EndReason.VOICEMAIL_LEFT, EndReason.MACHINE_ANSWERED}
_GOOD_WAIT_MS = 1500
_MOST_CUT_SHARE = 0.4


def judge(evidence: Evidence) -> Findings:
    """Judge one call. The same call gets the same findings."""
    heard = evidence.said_by(Speaker.CALLER)
    topics = _topics(evidence, heard)
    agreed = _agreement(evidence)
    disposition = _disposition(evidence, heard, agreed)
    interest = _interest(disposition, heard)
    score, reasons = _quality(evidence) if evidence.rubric else (None, ())
    return Findings(
        disposition=disposition,
        summary=_summary(evidence, disposition, topics, agreed),
        sentiment=_sentiment(heard),
        interest=interest,
        topics=topics,
        action_items=tuple(_to_do(disposition, heard, agreed)),
        fields=_known_fields(evidence),
        quality_score=score,
        quality_reasons=reasons,
    )


def _disposition(evidence: Evidence, heard: list[str], agreed: str) -> Disposition:
    words = " ".join(heard)
    tests = (
        (Disposition.DO_NOT_CALL, evidence.end_reason is EndReason.OPTED_OUT or EventKind.OPTED_OUT in evidence.events),
        (Disposition.VOICEMAIL, _is_machine(evidence)),
        (Disposition.NO_ANSWER, not heard or _is_kept_off(evidence)),
        (Disposition.CALLBACK, EventKind.CALLBACK_REQUESTED in evidence.events),
        (Disposition.WRONG_NUMBER, bool(_WRONG_NUMBER.search(words))),
        (Disposition.SCHEDULED, bool(agreed)),
        (Disposition.CALLBACK, bool(_count(_WILL_CALL, evidence.said_by(Speaker.AGENT)))),
        (Disposition.NOT_INTERESTED, bool(_DECLINED.search(words))),
        (Disposition.QUALIFIED, _count(_AGREEABLE, heard) > 1),
    )
    return next((disposition for disposition, applies in tests if applies), Disposition.OTHER)


def _is_machine(evidence: Evidence) -> bool:
    """Whether a mailbox took the call: by the engine's own judgement where there is one, else by the carrier's."""
    if evidence.answered_kind:
        return evidence.answered_kind == AnsweredBy.VOICEMAIL
    if evidence.end_reason in _LEFT_TO_MACHINES:
        return True
    return evidence.answered_by in _MACHINES and not any(line.waited_ms for line in evidence.lines)


def _is_kept_off(evidence: Evidence) -> bool:
    """Whether a menu or an assistant let nobody come to the telephone."""
    if evidence.end_reason in {EndReason.MACHINE_ANSWERED, EndReason.SCREENING_REFUSED}:
        return True
    is_machine = evidence.answered_kind in {AnsweredBy.SCREENING, AnsweredBy.IVR}
    return is_machine and not any(line.waited_ms for line in evidence.lines)


def _agreement(evidence: Evidence) -> str:
    """Give the sentence in which the agent confirmed an appointment; empty where a later word took it back."""
    found = ""
    for line in evidence.lines:
        if line.speaker is Speaker.AGENT and (match := _AGREED.search(line.text)):
            found = _sentence_around(line.text, match.start())
        elif found and line.speaker is Speaker.CALLER and _DECLINED.search(line.text) and "cancel" in line.text.lower():
            found = ""
    return found


def _sentence_around(text: str, place: int) -> str:
    start = max(text.rfind(mark, 0, place) for mark in ".?!") + 1
    ends = [end for mark in ".?!" if (end := text.find(mark, place)) >= 0]
    return text[start : min(ends) + 1 if ends else None].strip()


def _interest(disposition: Disposition, heard: Iterable[str]) -> int:
    fixed = {
        Disposition.SCHEDULED: 95,
        Disposition.DO_NOT_CALL: 0,
        Disposition.WRONG_NUMBER: 0,
        Disposition.VOICEMAIL: 0,
        Disposition.NO_ANSWER: 0,
    }
    if disposition in fixed:
        return fixed[disposition]
    score = 40 + 15 * _count(_AGREEABLE, heard) - 30 * _count(_DECLINED, heard)
    return min(max(score, 0), 90)


def _sentiment(heard: Iterable[str]) -> Sentiment:
    warmth = _count(_WARM, heard) - 2 * _count(_COLD, heard)
    if warmth == 0:
        return Sentiment.NEUTRAL
    return Sentiment.POSITIVE if warmth > 0 else Sentiment.NEGATIVE


def _count(pattern: re.Pattern[str], texts: Iterable[str]) -> int:
    """Count the turns in which something was said."""
    return sum(1 for text in texts if pattern.search(text.strip()))


def _topics(evidence: Evidence, heard: Iterable[str]) -> tuple[str, ...]:
    """Give the agent's intents that the caller's words meant, in the order of the call.

    A bare yes or no, which means something only after a certain question, is no topic.
    """
    matcher = IntentMatcher(intent for intent in evidence.spec.intents if not intent.after)
    best = [ranked[0].intent.name for text in heard if (ranked := matcher.rank(text))]
    return tuple(dict.fromkeys(name.replace("_", " ") for name in best))[:20]


def _to_do(disposition: Disposition, heard: Iterable[str], agreed: str) -> Iterable[ActionItem]:
    if agreed and disposition is Disposition.SCHEDULED:
        yield ActionItem(text=f"Keep the appointment: {agreed}", owner="business")
    if disposition is Disposition.CALLBACK:
        yield ActionItem(text="Call again at the time that was asked for.", owner="business")
    if _count(_WANTS_PERSON, heard) and disposition is not Disposition.DO_NOT_CALL:
        yield ActionItem(text="Have a person call back.", owner="business")


def _known_fields(evidence: Evidence) -> dict[str, Any]:
    """Fill what the call's own variables say; words are not guessed at."""
    wanted: Mapping[str, Any] = evidence.result_schema.get("properties", {})
    texts = {name for name, part in wanted.items() if part.get("type") == "string" and "enum" not in part}
    return {name: evidence.variables[name] for name in sorted(texts) if evidence.variables.get(name)}


def _summary(evidence: Evidence, disposition: Disposition, topics: tuple[str, ...], agreed: str) -> str:
    minutes, seconds = divmod(round(evidence.duration_ms / 1000), 60)
    lasted = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    turns = len(evidence.lines)
    parts = [f"{label(disposition)}: a call of {lasted} with {turns} turn{'' if turns == 1 else 's'}."]
    if topics:
        parts.append(f"Spoken of: {', '.join(topics)}.")
    if agreed:
        parts.append(f"Agreed: {agreed}")
    parts.append(f"How it ended: {label(evidence.end_reason).lower()}.")
    return " ".join(parts)


def _quality(evidence: Evidence) -> tuple[int, tuple[str, ...]]:
    """Score what can be measured; what the rubric says in words only a language model can hold a call against."""
    agent = [line for line in evidence.lines if line.speaker is Speaker.AGENT]
    waits = [line.waited_ms for line in agent if line.waited_ms is not None]
    cut_share = sum(line.interrupted for line in agent) / len(agent) if agent else 0.0
    bad_ends = {EndReason.PROVIDER_FAILED, EndReason.INTERNAL_ERROR, EndReason.INSTANCE_LOST, EndReason.SILENCE}
    checks = (
        ("said at the start that it is an AI", bool(agent) and bool(_NAMES_ITSELF.search(agent[0].text))),
        ("answered within 1.5 s at the median", bool(waits) and median(waits) <= _GOOD_WAIT_MS),
        ("was seldom interrupted", bool(agent) and cut_share <= _MOST_CUT_SHARE),
        ("came to a proper end", evidence.end_reason not in bad_ends),
    )
    reasons = [f"{'yes' if holds else 'no'}: {what}" for what, holds in checks]
    reasons.append("measured only: without a language model the rubric's own words are not judged")
    return round(100 * sum(holds for _, holds in checks) / len(checks)), tuple(reasons)
