"""What an agent is, as the engine reads it: the decoded content of one agent version.

``msgspec.convert(content, AgentSpec)`` checks a stored version and names the field that is wrong.
"""

from typing import Annotated

from msgspec import Meta, Struct

from calls.engine.toolspec import Destination, HttpTool, TransferLines
from calls.enums import OpeningWaits, VoicemailPolicy

Ms = Annotated[int, Meta(ge=0, le=60_000)]


class Endpointing(Struct, frozen=True, kw_only=True):
    """When the caller has finished. All in milliseconds of audio unless said otherwise."""

    patience_ms: Ms = 600
    """Silence after which a caller whose words sound complete has finished."""
    unfinished_patience_ms: Ms = 1400
    """The same when the words sound unfinished ("and then", "my number is", a trailing comma)."""
    eager_ms: Ms = 250
    """Silence after which a reply is generated on suspicion; 0 switches that off."""
    max_speculations: Annotated[int, Meta(ge=0, le=10)] = 3
    """How many speculative replies one caller turn may cost."""
    recogniser_wait_ms: Ms = 900
    """Wall time, after the patience ran out, in which a final transcript may still come."""


class BargeIn(Struct, frozen=True, kw_only=True):
    """When the caller stops the agent."""

    interrupt_after_ms: Ms = 160
    """Voiced audio that cancels at once; 0 waits for a word that is not a backchannel."""
    false_interruption_ms: Ms = 1200
    """Wall time without a real word after which the unheard rest is spoken; never within ``patience_ms`` of a sound."""
    wordless_limit_ms: Ms = 700
    """With ``interrupt_after_ms`` 0: voiced audio without new words that cancels all the same."""


class Silence(Struct, frozen=True, kw_only=True):
    """What happens when nobody speaks. Wall time."""

    reprompt_after_seconds: Annotated[float, Meta(ge=1, le=600)] = 10.0
    max_reprompts: Annotated[int, Meta(ge=0, le=10)] = 2
    reprompts: tuple[str, ...] = ("Are you still there?", "I can't hear you. Are you still on the line?")
    goodbye: str = "I'll let you go now. Goodbye."


class VoiceActivity(Struct, frozen=True, kw_only=True):
    """The gate between sound and speech."""

    threshold: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    """Probability from which a window counts as speech."""
    release: Annotated[float, Meta(gt=0, lt=1)] = 0.35
    """Probability below which speech may end (hysteresis)."""
    onset_windows: Annotated[int, Meta(ge=1, le=20)] = 2
    """Windows above the threshold before speech is believed (it then counts from the first of them)."""
    hangover_ms: Ms = 100
    """Shorter gaps inside speech are bridged."""
    min_level_dbfs: Annotated[float, Meta(ge=-90, le=0)] = -50.0
    """Quieter windows are never speech."""
    noise_margin_db: Annotated[float, Meta(ge=0, le=40)] = 6.0
    """How far above the adaptive noise floor speech must be."""


class Intent(Struct, frozen=True, kw_only=True):
    """One thing a caller may mean, for the scripted agent and the local recogniser's language model."""

    name: str
    examples: tuple[str, ...]
    answer: str
    ends_call: bool = False
    after: tuple[str, ...] = ()
    """Names of the intents after whose answer it applies ("opening" is the opening line); empty: always."""
    tool: str = ""
    """A tool that is used first. The answer follows where it succeeded; ``{result}`` in it is what the tool said."""
    arguments: dict[str, str] = {}
    """The tool's arguments; ``{words}`` in one is what the caller said."""

    def __hash__(self) -> int:
        """Hash what is hashable: what is made of a script is kept by it."""
        return hash((self.name, self.examples, self.answer))


class Telephone(Struct, frozen=True, kw_only=True):
    """What an agent says and does on the telephone only."""

    notice: Annotated[str, Meta(pattern=r"^[^{}]*\Z")] = ""
    """Spoken first, and never interrupted: name, that it is an AI, that the call is recorded. It holds no variables:
    it is the same on every call, so that its audio is at hand before anybody answers."""
    opening: str = ""
    """Spoken after the notice; empty: the agent's ``opening``."""
    opening_waits: OpeningWaits = OpeningWaits.ANSWER
    voicemail: VoicemailPolicy = VoicemailPolicy.HANG_UP
    voicemail_message: str = ""
    """Spoken after the beep; empty: the agent hangs up."""
    screening_answer: str = ""
    """Who is calling and why, for an assistant that asks before it puts anybody through; empty: notice and opening."""
    ivr_digits: Annotated[str, Meta(pattern=r"^[0-9*#]*\Z", max_length=20)] = ""
    """Keys that lead from a menu to a person; empty: the agent hangs up on menus."""
    opt_out_goodbye: str = "I am sorry for the trouble. We will not call you again. Goodbye."
    """Said to who wants no more calls; then the call ends."""
    objection_line: str = "All right, I have stopped the recording."
    """Said to who does not want to be recorded; then the call goes on."""
    carrier_recording: bool = False
    """Whether the carrier records too, from the notice's end; without a notice it never does."""


class ProviderChoice(Struct, frozen=True, kw_only=True):
    """Which provider does what: a name of ``settings.PROVIDERS``, a dotted path, or empty for the default."""

    stt: str = ""
    llm: str = ""
    tts: str = ""
    llm_fallback: str = ""
    tts_fallback: str = ""


class AgentSpec(Struct, frozen=True, kw_only=True):
    """One version of an agent. Text fields may hold ``{{name}}`` and ``{{name|default}}``."""

    name: str
    prompt: str
    language: str = "en-US"
    opening: str = ""
    voice: str = ""
    """The synthesiser's voice; empty is the provider's default."""
    model: str = ""
    """The language model's name; empty is the provider's default."""
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.6
    max_reply_tokens: Annotated[int, Meta(ge=16, le=4096)] = 300
    context_tokens: Annotated[int, Meta(ge=256, le=1_000_000)] = 8000
    """Budget of the prompt and the history; old turns go first."""
    providers: ProviderChoice = ProviderChoice()
    endpointing: Endpointing = Endpointing()
    barge_in: BargeIn = BargeIn()
    silence: Silence = Silence()
    vad: VoiceActivity = VoiceActivity()
    telephone: Telephone = Telephone()
    goodbye: str = "Thank you for calling. Goodbye."
    """What is said when the caller's side asks to end the call, or the model ends it without words of its own."""
    max_duration_seconds: Annotated[int, Meta(ge=10, le=14_400)] = 1800
    max_duration_goodbye: str = "I have to end our call here. Thank you for your time. Goodbye."
    tools: tuple[str, ...] = ("end_call",)
    http_tools: tuple[HttpTool, ...] = ()
    destinations: tuple[Destination, ...] = ()
    transfer_lines: TransferLines = TransferLines()
    key_terms: tuple[str, ...] = ()
    pronunciations: dict[str, str] = {}
    """Written word to how the synthesiser shall read it."""
    intents: tuple[Intent, ...] = ()
    fallback_answer: str = "Sorry, I did not understand that. Could you say it in other words?"
    """What the scripted agent says to words that fit no intent."""
