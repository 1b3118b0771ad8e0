"""What a colleague hears who is asked to take a caller."""

from msgspec.structs import replace

from calls.engine.agent import AgentSpec, Silence, Telephone
from calls.models import Transfer

ASK = "Press 1 to take the call, or 2 if you cannot."
TAKEN = "Thank you. I am connecting you now."
DECLINED = "All right, I will tell the caller. Goodbye."
GONE = "I am sorry, the caller has hung up meanwhile. Goodbye."

_REPROMPT_SECONDS = 7.0
_MOST_SECONDS = 90


def briefing_spec(spec: AgentSpec, transfer: Transfer) -> AgentSpec:
    """Give the agent's voice another task: tell who calls and what it is about, and wait for a key.

    It has no tools and no telephone manners: a colleague's words are no opt-out, and a key decides, not a model.
    """
    summary = _plain(transfer.summary)
    prompt = (
        f"You are {_plain(spec.name)}, an AI assistant, and you are on the phone with a colleague. A caller is waiting "
        f"and wants to be put through to: {_plain(transfer.destination)}. What is known: {summary or 'nothing more.'} "
        f"Answer the colleague's questions in one short sentence from that, then say: {ASK}"
    )
    opening = (
        f"Hello, this is {_plain(spec.name)}, the AI assistant. I have a caller for {_plain(transfer.destination)}."
    )
    return replace(
        spec,
        prompt=prompt,
        opening=" ".join(filter(None, [opening, summary, ASK])),
        goodbye=DECLINED,
        tools=(),
        http_tools=(),
        destinations=(),
        intents=(),
        fallback_answer=ASK,
        telephone=Telephone(),
        silence=Silence(
            reprompt_after_seconds=_REPROMPT_SECONDS, max_reprompts=2, reprompts=(ASK, ASK), goodbye=DECLINED
        ),
        max_duration_seconds=_MOST_SECONDS,
        max_duration_goodbye=DECLINED,
    )


def _plain(text: str) -> str:
    """Take out what would be read as a variable."""
    return text.replace("{", "(").replace("}", ")").strip()
