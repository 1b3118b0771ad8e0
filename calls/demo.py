"""The agent that an empty installation starts with: it calls back people who asked a made-up solar company for advice.

Its intents drive the scripted agent and the local recogniser; its prompt makes a real language model play the same
part. A bare "yes" or "no" means something else after each question, so these intents name what they come after.
"""

from typing import Any

import msgspec

from calls.engine.agent import AgentSpec, BargeIn, Endpointing, Intent, Silence, Telephone
from calls.enums import OpeningWaits, VoicemailPolicy

_PROMPT = """\
You are Robin, the AI assistant of Northlight Solar, a family firm that plans and installs solar panels on houses. \
You are on the phone with {{first_name|a caller}}, who asked on our website to be called back.

Your goal: a free roof check at their house, on a weekday between nine in the morning and five in the afternoon. It \
takes forty minutes, an engineer named Dana comes, and nobody has to buy anything. Offer Tuesday at ten or Thursday \
at two first.

What you may say: most roofs cost between nine and fourteen thousand dollars, panels and installation included; \
payment in monthly parts from ninety dollars is possible; panels last about twenty-five years and carry a twenty year \
warranty; an installation takes two days. You know nothing else about prices, taxes or subsidies: the engineer answers \
that on the spot.

How you speak:
- One or two short sentences at a time, then let the other side talk. At most one question per reply.
- Plain spoken words. No lists, no markdown, no emoji; numbers and times as one says them.
- You are an AI and say so at once when asked. Never claim to be a person.
- Never press. After a second no, thank them and say goodbye.
- Who asks not to be called again gets an apology and a promise that it will not happen, and you end the call.
- If somebody wants a human, promise that Dana calls back within one working day.
- If you did not understand, say so and ask once more.
- When a day and a time are agreed, repeat them. When everything is settled, say goodbye with the end_call tool.
"""

_YES = (
    "yes",
    "yes please",
    "yeah",
    "sure",
    "okay",
    "of course",
    "go ahead",
    "why not",
    "that is fine",
    "sounds good",
    "all right",
)
_NO = ("no", "no thanks", "no thank you", "not really", "rather not")

_TALK_QUESTION = ("opening", "hello", "who_are_you")
"""Their answers end with: may I tell you about it?"""
_VISIT_QUESTION = ("pitch", "price", "too_expensive", "are_you_a_robot", "how_long", "has_panels")
"""... shall somebody come and look?"""
_DAY_QUESTION = ("interested", "yes_to_visit")
_ANYTHING_ELSE = (
    "tuesday",
    "thursday",
    "other_day",
    "no_to_days",
    "wants_a_human",
    "think_about_it",
    "what_next",
    "thanks",
)

_OFFER = (
    "Wonderful. The visit takes forty minutes and costs nothing. Would Tuesday at ten suit you, or Thursday at two?"
)
_ANOTHER_DAY = (
    "No problem. Then Dana will call you tomorrow, and you find a day together. "
    "Is there anything else I can do for you?"
)
_GOODBYE = "Thank you for your time, and have a sunny day. Goodbye!"

_INTENTS = (
    Intent(
        name="pitch",
        after=_TALK_QUESTION,
        examples=("i have a minute", "yes i have time", "what is it about", "tell me more", "go on", *_YES),
        answer="Great, thank you. We check your roof for free and tell you what solar panels would save you. "
        "Would you like an engineer to have a look at it?",
    ),
    Intent(
        name="interested",
        examples=(
            "i am interested",
            "that sounds interesting",
            "i want a roof check",
            "i would like an appointment",
            "i would like to book a visit",
            "can somebody come to my house",
        ),
        answer=_OFFER,
    ),
    Intent(name="yes_to_visit", after=_VISIT_QUESTION, examples=_YES, answer=_OFFER),
    Intent(
        name="tuesday",
        examples=(
            "tuesday",
            "tuesday at ten",
            "tuesday is fine",
            "let us take tuesday",
            "tuesday morning works for me",
            "the first one",
            "in the morning",
        ),
        answer="Tuesday at ten it is. Dana, our engineer, will ring your bell. "
        "Is there anything else you would like to know?",
    ),
    Intent(
        name="thursday",
        examples=(
            "thursday",
            "thursday at two",
            "thursday is better",
            "let us take thursday",
            "thursday afternoon works for me",
            "the second one",
            "in the afternoon",
        ),
        answer="Thursday at two it is. Dana, our engineer, will ring your bell. "
        "Is there anything else you would like to know?",
    ),
    Intent(
        name="other_day",
        examples=(
            "can we take another day",
            "monday would be better",
            "what about wednesday",
            "on friday please",
            "next week is better",
            "neither of them",
            "i can not on that day",
        ),
        answer=_ANOTHER_DAY,
    ),
    Intent(name="no_to_days", after=_DAY_QUESTION, examples=_NO, answer=_ANOTHER_DAY),
    Intent(
        name="price",
        examples=(
            "how much is it",
            "how much does it cost",
            "what does it cost",
            "what is the price",
            "tell me the price",
            "is it expensive",
            "how much do the solar panels cost",
        ),
        answer="Most roofs cost between nine and fourteen thousand dollars, with everything included. "
        "The roof check itself is free. Shall we come and have a look?",
    ),
    Intent(
        name="too_expensive",
        examples=(
            "that is too expensive",
            "that is too much money",
            "that is a lot of money",
            "i can not afford that",
            "i do not have that much money",
            "it is the price",
        ),
        answer="I understand, it is a lot at once. Many people pay in parts, from ninety dollars a month, "
        "and save about as much on their power bill. May an engineer work that out for your roof?",
    ),
    Intent(
        name="busy",
        examples=(
            "i am busy",
            "i have no time",
            "not now",
            "i am driving",
            "i am in a meeting",
            "this is a bad time",
            "it is the wrong moment",
            "call me later",
            "can you call back later",
            "please call me tomorrow",
        ),
        answer="Of course, I will not keep you. We will call you again tomorrow. Goodbye!",
        ends_call=True,
    ),
    Intent(
        name="who_are_you",
        examples=(
            "who are you",
            "who is this",
            "who is calling",
            "what company is this",
            "what is your name",
            "what is northlight solar",
            "where did you get my number",
            "why are you calling me",
        ),
        answer="I am Robin, the AI assistant of Northlight Solar. You left your number on our website and asked for a "
        "call about solar panels. May I tell you about the free roof check?",
    ),
    Intent(
        name="are_you_a_robot",
        examples=(
            "are you a robot",
            "are you a machine",
            "are you a real person",
            "are you human",
            "is this a computer",
            "am i talking to a machine",
        ),
        answer="Yes, I am an AI and not a person. If you would rather talk to a human, just say so. "
        "Or may I book your roof check?",
    ),
    Intent(
        name="wants_a_human",
        examples=(
            "i want to talk to a human",
            "can i speak to a real person",
            "let me talk to somebody",
            "give me a person please",
            "i do not talk to machines",
            "connect me with an engineer",
        ),
        answer="Gladly. Dana, our engineer, will call you within one working day. "
        "Is there anything else I can do for you?",
    ),
    Intent(
        name="stop_calling",
        examples=(
            "stop calling me",
            "do not call me again",
            "never call this number again",
            "take me off your list",
            "remove me from the list",
            "delete my number",
            "leave me alone",
        ),
        answer="I am sorry for the trouble. I have noted it, and we will not call you again. Goodbye.",
        ends_call=True,
    ),
    Intent(
        name="rents",
        examples=(
            "i rent my house",
            "i do not own a house",
            "i live in an apartment",
            "i do not have a roof",
            "the house belongs to my landlord",
        ),
        answer="Thank you for telling me. We can only build for the owner of the house, "
        "so I will not take more of your time. Goodbye!",
        ends_call=True,
    ),
    Intent(
        name="has_panels",
        examples=(
            "we already have solar panels",
            "i already have solar on my roof",
            "there are panels on my roof",
        ),
        answer="That is good to hear. We also check older panels and tell you what a battery would add. "
        "Shall an engineer have a look?",
    ),
    Intent(
        name="how_long",
        examples=(
            "how long does it take",
            "how long does the installation take",
            "when will it be finished",
            "how long do the panels last",
            "is there a warranty",
        ),
        answer="The installation takes two days. The panels last about twenty-five years "
        "and have a twenty year warranty. Shall we look at your roof?",
    ),
    Intent(
        name="think_about_it",
        examples=(
            "i have to think about it",
            "i need to talk to my wife",
            "i have to ask my husband",
            "can you send me an email",
            "send me some information",
        ),
        answer="That is a good idea. I will send you an email with all the details, and you decide in peace. "
        "Is there anything else you would like to know?",
    ),
    Intent(
        name="no",
        after=(*_TALK_QUESTION, *_VISIT_QUESTION),
        examples=("i am not interested", "i do not need that", *_NO),
        answer="That is all right. May I ask one thing: is it the price, or is it the wrong moment?",
    ),
    Intent(
        name="final_no",
        after=("no",),
        examples=("no it is not", "neither", "i said no", "i am not interested", "i do not want it", *_NO),
        answer=_GOODBYE,
        ends_call=True,
    ),
    Intent(
        name="nothing_else",
        after=_ANYTHING_ELSE,
        examples=("no that is all", "no nothing else", "that was everything", *_NO),
        answer=_GOODBYE,
        ends_call=True,
    ),
    Intent(
        name="something_else",
        after=_ANYTHING_ELSE,
        examples=("i have a question", "one more question", *_YES),
        answer="Please, go ahead. What would you like to know?",
    ),
    Intent(
        name="what_next",
        examples=("what happens next", "what do i have to do", "do i have to prepare something"),
        answer="Somebody should be at home and able to open the attic, nothing else. "
        "Is there anything else you would like to know?",
    ),
    Intent(
        name="repeat",
        examples=(
            "can you repeat that",
            "say that again please",
            "what did you say",
            "i did not understand you",
            "pardon me",
            "once more please",
        ),
        answer="Of course.",
    ),
    Intent(
        name="thanks",
        examples=("thank you", "thanks a lot", "thank you very much", "that is very kind"),
        answer="You are very welcome. Is there anything else I can do for you?",
    ),
    Intent(
        name="hello",
        examples=("hello", "hi", "good morning", "good afternoon", "can you hear me"),
        answer="Hello! I can hear you well. Do you have a minute for a few words about solar panels?",
    ),
    Intent(
        name="goodbye",
        examples=("goodbye", "bye", "bye bye", "have a nice day", "see you on tuesday", "talk to you later"),
        answer="Thank you for the talk. Goodbye, and have a sunny day!",
        ends_call=True,
    ),
)

DEMO_AGENT = AgentSpec(
    name="Robin of Northlight Solar",
    prompt=_PROMPT,
    opening="Hello {{first_name|there}}, this is Robin, the AI assistant of Northlight Solar. "
    "You asked us for a call about solar panels. Do you have a minute?",
    temperature=0.5,
    max_reply_tokens=160,
    endpointing=Endpointing(patience_ms=650),
    # The local recogniser may take more than a second to its first word; until then an interruption must not count as
    # none.
    barge_in=BargeIn(false_interruption_ms=2500),
    silence=Silence(
        reprompts=("Are you still there?", "I cannot hear you. Are you still on the line?"),
        goodbye="It seems that the line is bad. We will try again another day. Goodbye.",
    ),
    telephone=Telephone(
        notice="Hello, this is Robin, the AI assistant of Northlight Solar. This call is recorded.",
        opening="You asked us for a call about solar panels. Do you have a minute?",
        opening_waits=OpeningWaits.GREETING,
        voicemail=VoicemailPolicy.LEAVE_MESSAGE,
        # An artificial voice that leaves a message has to say how to be rid of it.
        voicemail_message="Hello, this is Robin, the AI assistant of Northlight Solar. You asked us for a call about "
        "solar panels. We will try again another day. If you want no more calls, call this number back and press "
        "nine. Goodbye.",
        screening_answer="This is Robin, the AI assistant of Northlight Solar. "
        "I am calling back about solar panels, as was asked for on our website.",
        ivr_digits="0",
        opt_out_goodbye="I am sorry for the trouble. I have noted it, and we will not call you again. Goodbye.",
        objection_line="All right, I have stopped the recording.",
    ),
    max_duration_seconds=900,
    key_terms=("Northlight Solar", "Robin", "Dana", "solar panels", "roof check", "warranty", "Tuesday", "Thursday"),
    pronunciations={"Northlight": "north light"},
    intents=_INTENTS,
    fallback_answer="I am sorry, I did not understand that. Could you say it in other words?",
)


def demo_content() -> dict[str, Any]:
    """Give the demo agent as plain dictionaries and lists, as an agent version is stored."""
    content: dict[str, Any] = msgspec.to_builtins(DEMO_AGENT)
    return content
