"""What personas say, in several wordings each. At least a third of them the demo agent's script does not have.

A wording is what its script takes: for a talk the hello, the replies, and the words into a silent line.
"""

from collections.abc import Mapping

from calls.sandbox.catalogue import PersonaKind

Wording = tuple[str, ...]

_STILL = "hello? are you still there?"

WORDINGS: Mapping[PersonaKind, tuple[Wording, ...]] = {
    PersonaKind.INTERESTED: (
        ("hello?", "yes i have time", "i want a roof check", "tuesday at ten", "no that is all", _STILL),
        ("good morning", "tell me more", "yes please", "thursday at two", "no nothing else", _STILL),
        (
            "hi, smith speaking",
            "well, i suppose i can spare a moment",
            "how long does it take",
            "my neighbour got hers last spring, count me in",
            "let us take thursday",
            "no that was everything",
            _STILL,
        ),
    ),
    PersonaKind.BUSY: (
        ("hello?", "i am in a meeting", _STILL),
        ("yes?", "this is a bad time. please call me tomorrow", _STILL),
        ("hello, make it quick", "my hands are full with the children right now, some other day", _STILL),
    ),
    PersonaKind.PRICE: (
        ("hello?", "how much does it cost", "that is too expensive", "no thank you", "no i said no", _STILL),
        ("hello", "what is the price", "that is a lot of money", "i have to think about it", "no that is all", _STILL),
        (
            "hello, who is it",
            "before you go on, what would that set me back",
            "good heavens, nobody around here has that lying about",
            "no thanks",
            "not really",
            _STILL,
        ),
    ),
    PersonaKind.WANTS_A_HUMAN: (
        ("hello?", "are you a robot", "i want to talk to a human", "no that is all", _STILL),
        ("hello", "am i talking to a machine", "can i speak to a real person", "no nothing else", _STILL),
        (
            "yes hello",
            "you sound like one of those recordings",
            "put your supervisor on the phone, would you",
            "no that was everything",
            _STILL,
        ),
    ),
    PersonaKind.STOP_CALLING: (
        ("hello?", "stop calling me", _STILL),
        ("who is this", "take me off your list", "do not call me again", _STILL),
        ("yes?", "for heaven's sake, i never want to hear from you people again, lose my number", _STILL),
    ),
    PersonaKind.VOICEMAIL: (
        (
            (
                "hello, you have reached the voice mail of mary jones. i can not take your call at the moment. "
                "please leave a message after the tone."
            ),
        ),
        (
            (
                "the person you are trying to reach is not available. at the tone, please record your message. "
                "when you have finished recording, you may hang up."
            ),
        ),
        ("hey, it's dave, you know what to do.",),
    ),
    PersonaKind.SCREENING: (
        (
            (
                "hi. the person you are calling is using a screening service, and will get a copy of this "
                "conversation. go ahead and say your name, and why you are calling."
            ),
            "thank you. please stay on the line.",
            "hello, this is anna",
            "i am busy",
        ),
        (
            "hello. record your name and reason for calling, and i will see if this person is available.",
            "one moment, please.",
            "yes, hello?",
            "what is it about",
            "no thanks",
        ),
        (
            (
                "hi. the person you are calling can not speak right now and has asked me to take your name. "
                "who is this, and what is it about?"
            ),
            "they can not talk right now. please try again another time. goodbye.",
        ),
    ),
    PersonaKind.IVR: tuple(
        (
            menu,
            "sorry, that is not a valid option.",
            "we did not receive an input. goodbye.",
            "front desk, how can i help?",
            "i will pass it on. goodbye.",
        )
        for menu in (
            (
                "thank you for calling miller and sons. for sales, press 1. for service, press 2. "
                "for the operator, press 0."
            ),
            (
                "welcome to the riverside clinic. if you are a patient, press 1. for billing, press 2. "
                "to speak to somebody, press 0."
            ),
            (
                "you have reached oak street bakery. press 1 for opening hours, press 2 for orders, "
                "or press 0 to talk to us."
            ),
        )
    ),
    PersonaKind.SILENCE: ((),),
    PersonaKind.SPEAKERPHONE: (
        ("hello?", "what is it about", "how much is it", "no thank you", "no that is all", _STILL),
        ("hello, one moment, you are on speaker", "tell me more", "what is the price", "rather not", "no", _STILL),
        (
            "hold on, i put you on the table",
            "speak up a little, the kettle is on",
            "what would my roof even be good for",
            "no thank you",
            "no",
            _STILL,
        ),
    ),
    PersonaKind.NOISE: (
        ("hello?", "i can hardly hear you. what is it about", "i am driving", _STILL),
        ("hello", "say that again please", "please call me tomorrow", _STILL),
        (
            "hello, it is loud here",
            "we are at the harbour, there is a ferry leaving",
            "some other day, all right",
            _STILL,
        ),
    ),
    PersonaKind.HANGS_UP: (
        ("hello?", ""),
        ("yes?", "what is northlight solar and where did you get my number"),
        ("hello", "listen, i was just about to sit down for dinner with the family and now"),
    ),
    PersonaKind.COLLEAGUE: (
        ("dana speaking", "yes, put them through", "hello, how can i help you", "all right, i will send you an offer"),
        ("engineering, hello", "fine, i take it", "good morning, what can i do for you", "let me look into that"),
        ("yes, this is dana", "go on then, connect us", "hello there, you wanted a word with me", "consider it done"),
    ),
    PersonaKind.OPT_OUT_KEY: (
        ("hello?", "not again"),
        ("yes?", "oh, these machines"),
        ("who is this", "every day one of you lot"),
    ),
    PersonaKind.COLLEAGUE_WHO_DECLINES: (
        ("dana speaking", "sorry, not now"),
        ("engineering, hello", "i am on my way out"),
        ("yes, this is dana", "somebody else has to do that"),
    ),
    PersonaKind.NO_ANSWER: ((),),
    PersonaKind.BUSY_LINE: ((),),
    PersonaKind.INVALID: ((),),
}
