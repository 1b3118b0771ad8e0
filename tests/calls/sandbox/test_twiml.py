import pytest

from calls.errors import WireError
from calls.sandbox.twiml import Confer, Dial, Gather, Hangup, Pause, Redirect, Say, Stream, Verb, parse


@pytest.mark.parametrize(
    ("inner", "verbs"),
    [
        ("<Say language='en'> Good <emphasis>day</emphasis> </Say><Hangup/>", [Say("Good day"), Hangup()]),
        ("<Pause/><Pause length='3'/>", [Pause(1), Pause(3)]),
        ("<Redirect method='POST'>http://us/next?a=1&amp;b=2</Redirect>", [Redirect("http://us/next?a=1&b=2")]),
        (
            "<Connect><Stream url='ws://us' statusCallback='http://s'><Parameter name='a'/></Stream></Connect>",
            [Stream(url="ws://us", status_url="http://s", parameters={"a": ""})],
        ),
        (
            "<Gather input='dtmf' numDigits='1' timeout='3' action='http://us/key'><Say>Press</Say></Gather>",
            [Gather(prompts=(Say("Press"),), action="http://us/key", timeout=3, most_digits=1, finish_on="#")],
        ),
        (
            "<Dial action='http://us/d' timeout='9'><Number>+15005550101</Number></Dial><Dial>+15005550102</Dial>",
            [
                Dial(number="+15005550101", action="http://us/d", timeout=9),
                Dial(number="+15005550102", action="", timeout=30),
            ],
        ),
        (
            "<Dial action='http://us/d'><Conference endConferenceOnExit='true'>room</Conference></Dial>",
            [Confer(name="room", action="http://us/d", ends_room=True)],
        ),
        ("", []),
    ],
)
def test_verbs_are_read(inner: str, verbs: list[Verb]) -> None:
    assert parse(f"<?xml version='1.0' encoding='UTF-8'?><Response>{inner}</Response>") == verbs


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no XML"),
        ("<html/>", "expected <Response>"),
        ("<Response><Sing/></Response>", "the sandbox has no <Sing>"),
        ("<Response><Connect><Room/></Connect></Response>", "with a <Stream url> only"),
        ("<Response><Dial><Sip>sip:a@b</Sip></Dial></Response>", "numbers and conferences only"),
        ("<Response><Pause length='long'/></Response>", "length of <Pause> is no number"),
    ],
)
def test_what_the_sandbox_cannot_follow_is_named(text: str, problem: str) -> None:
    with pytest.raises(WireError, match=problem):
        parse(text)
