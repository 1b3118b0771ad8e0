"""What the demo agent understands, and what it answers.

A bare "yes" or "no" means something else after each question, so these intents name what they come after.
"""

from calls.engine.agent import Intent

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
    "that sounds good",
    "that would be nice",
    "i would like that",
    "absolutely",
    "all right",
)
_NO = ("no", "no thanks", "no thank you", "not really", "rather not")

_TALK_QUESTION = ("opening", "hello", "who_are_you")
"""Their answers end with: may I tell you about it?"""
_VISIT_QUESTION = ("pitch", "price", "too_expensive", "are_you_a_robot", "how_long", "has_panels")
"""... shall somebody come and look?"""
_DAY_QUESTION = ("interested", "yes_to_visit", "yes_to_days")
_ANYTHING_ELSE = (
    "tuesday",
    "thursday",
    "first_day",
    "second_day",
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
_TUESDAY = (
    "Tuesday at ten it is. Dana, our engineer, will ring your bell. Is there anything else you would like to know?"
)
_THURSDAY = (
    "Thursday at two it is. Dana, our engineer, will ring your bell. Is there anything else you would like to know?"
)
_ANOTHER_DAY = (
    "No problem. Then Dana will call you tomorrow, and you find a day together. "
    "Is there anything else I can do for you?"
)
_GOODBYE = "Thank you for your time, and have a sunny day. Goodbye!"

INTENTS = (
    Intent(
        name="pitch",
        after=_TALK_QUESTION,
        examples=(
            "i have a minute",
            "i have a few minutes",
            "i have some time",
            "yes i have time",
            "what is it about",
            "tell me more",
            "go on",
            "i am listening",
            *_YES,
        ),
        answer="Great, thank you. We check your roof for free and tell you what solar panels would save you. "
        "Would you like an engineer to have a look at it?",
    ),
    Intent(
        name="interested",
        examples=(
            "i am interested",
            "yes i am interested",
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
        ),
        answer=_TUESDAY,
    ),
    Intent(
        name="thursday",
        examples=(
            "thursday",
            "thursday at two",
            "thursday is better",
            "let us take thursday",
            "thursday afternoon works for me",
        ),
        answer=_THURSDAY,
    ),
    # Half of what was offered is enough where it was offered just now; said anywhere else it might be anything.
    Intent(
        name="first_day",
        after=_DAY_QUESTION,
        examples=("at ten", "ten is fine", "ten in the morning", "the first one", "in the morning", "tuesday"),
        answer=_TUESDAY,
    ),
    Intent(
        name="second_day",
        after=_DAY_QUESTION,
        examples=("at two", "two is fine", "two in the afternoon", "the second one", "in the afternoon", "thursday"),
        answer=_THURSDAY,
    ),
    Intent(
        name="yes_to_days",
        after=_DAY_QUESTION,
        examples=_YES,
        answer="Good. Which one do you prefer: Tuesday at ten, or Thursday at two?",
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
