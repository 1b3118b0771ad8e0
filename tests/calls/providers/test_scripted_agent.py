"""The scripted agent: what it answers, when it repeats itself, how it ends a call."""

from calls.engine.agent import AgentSpec, Intent
from calls.engine.events import Message, ToolRequest
from calls.providers.base import GenerationPiece, GenerationRequest, LanguageModel, TextDelta
from calls.providers.scripted import ScriptedAgent
from calls.providers.scripted.agent import Reply, Script
from calls.providers.scripted.intents import IntentMatcher, words_of

SPEC = AgentSpec(
    name="Ada",
    prompt="Be kind.",
    opening="Hello, would you like some tea?",
    intents=(
        Intent(name="tea", after=("opening",), examples=("yes", "tea please"), answer="Green or black?"),
        Intent(name="sugar", after=("tea",), examples=("yes", "green"), answer="Green it is. Any sugar with it?"),
        Intent(name="price", examples=("how much is it",), answer="Tea is free today."),
        Intent(name="repeat", examples=("say that again",), answer="Sure."),
        Intent(name="leave", examples=("goodbye", "i must go"), answer="Goodbye then!", ends_call=True),
    ),
    fallback_answer="I did not get that.",
)
END_CALL: dict[str, object] = {"name": "end_call", "description": "", "parameters": {}}


def said(*lines: str) -> tuple[Message, ...]:
    """Write lines as messages: the agent's opening first, then the caller and the agent in turns."""
    roles = ("assistant", "user")
    turns = [Message(roles[index % 2], line) for index, line in enumerate((SPEC.opening, *lines))]
    return (Message("system", SPEC.prompt), *turns)


def answer(*lines: str, spec: AgentSpec = SPEC) -> Reply:
    return Script(spec).answer(said(*lines))


async def generate(*lines: str, tools: tuple[dict[str, object], ...] = (END_CALL,)) -> list[GenerationPiece]:
    model: LanguageModel = ScriptedAgent()
    await model.warm_up()
    request = GenerationRequest(messages=said(*lines), spec=SPEC, tools=tools)
    pieces = [piece async for piece in model.generate(request)]
    await model.aclose()
    return pieces


async def test_the_answer_is_streamed_word_by_word() -> None:
    assert await generate("how much is it") == [
        TextDelta("Tea"),
        TextDelta(" is"),
        TextDelta(" free"),
        TextDelta(" today."),
    ]


async def test_an_intent_that_ends_the_call_asks_for_the_tool_after_its_answer() -> None:
    assert await generate("i must go") == [
        TextDelta("Goodbye"),
        TextDelta(" then!"),
        ToolRequest(call_id="end-3", name="end_call", arguments="{}"),
    ]


async def test_without_the_tool_only_the_answer_is_given() -> None:
    assert await generate("i must go", tools=()) == [TextDelta("Goodbye"), TextDelta(" then!")]


def test_the_same_word_means_what_the_last_question_asked() -> None:
    assert answer("yes") == Reply("Green or black?")
    assert answer("yes", "Green or black?", "yes") == Reply("Green it is. Any sugar with it?")


def test_a_word_that_fits_no_place_of_the_script_is_not_understood() -> None:
    assert answer("how much is it", "Tea is free today.", "green") == Reply("I did not get that.")


def test_a_place_in_the_script_outlives_a_misunderstanding_and_a_reprompt() -> None:
    assert answer("blah", "I did not get that.", "yes") == Reply("Green or black?")
    assert answer("yes", "Green or black?", "hm", "Are you still there?", "green") == Reply(
        "Green it is. Any sugar with it?"
    )


def test_a_few_heard_words_of_an_interrupted_answer_tell_the_place() -> None:
    spec_lines = ("yes", "Green or black?", "green", "Green it is.", "say that again")
    assert answer(*spec_lines) == Reply("Sure. Green it is.")
    assert answer("tea please", "Green or", "yes") == Reply("Green or black?")


def test_the_same_answer_twice_in_a_row_says_that_it_is_the_same() -> None:
    assert answer("how much is it", "Tea is free today.", "how much is it") == Reply("As I said: Tea is free today.")


def test_an_answer_that_was_cut_off_is_given_again_as_it_is() -> None:
    assert answer("how much is it", "Tea is", "how much is it") == Reply("Tea is free today.")


def test_what_was_asked_to_be_repeated_is_repeated_without_its_own_beginning() -> None:
    assert answer("how much is it", "Sure. Tea is free today.", "say that again") == Reply("Sure. Tea is free today.")


def test_not_understanding_twice_in_a_row_gives_examples() -> None:
    assert answer("blah", "I did not get that.", "blub") == Reply(
        "I still did not understand. You could say, for example: how much is it, or: say that again, or: goodbye."
    )


def test_an_agent_of_another_language_adds_no_english() -> None:
    spec = AgentSpec(
        name="Ada",
        prompt="",
        language="de-DE",
        intents=(Intent(name="preis", examples=("was kostet das",), answer="Nichts."),),
        fallback_answer="Wie bitte?",
    )
    assert answer("was kostet das", "Nichts.", "was kostet das", spec=spec) == Reply("Nichts.")
    assert answer("blah", "Wie bitte?", "blub", spec=spec) == Reply("Wie bitte?")


def test_words_that_were_not_answered_are_taken_together() -> None:
    messages = (*said(), Message("user", "how much"), Message("user", "is it then"))
    assert Script(SPEC).answer(messages) == Reply("Tea is free today.")


def test_an_agent_without_intents_says_its_fallback() -> None:
    assert answer("hello", spec=AgentSpec(name="Ada", prompt="", fallback_answer="Sorry?")) == Reply("Sorry?")


def test_words_are_compared_without_case_punctuation_and_contractions() -> None:
    assert words_of("I\N{RIGHT SINGLE QUOTATION MARK}m sorry, can't you -- OK?") == [
        "i", "am", "sorry", "can", "not", "you", "okay",
    ]  # fmt: skip


def test_words_without_meaning_are_the_answer_to_the_question_that_they_sound_like() -> None:
    spec = AgentSpec(
        name="Ada",
        prompt="",
        opening="Tuesday or Thursday?",
        intents=(
            Intent(name="tuesday", after=("opening",), examples=("tuesday morning",), answer="Tuesday it is."),
            Intent(name="thursday", after=("opening",), examples=("not before saturday",), answer="Not then."),
            Intent(name="enough", after=("opening",), examples=("that is enough",), answer="Bye.", ends_call=True),
            Intent(name="sorry", examples=("what did you say",), answer="Sorry."),
        ),
        fallback_answer="Pardon?",
    )
    (tuesday, _, enough, _), pardon = (Reply(each.answer, each.ends_call) for each in spec.intents), Reply("Pardon?")

    def after(*lines: str) -> Reply:
        messages = [Message(("user", "assistant")[index % 2], line) for index, line in enumerate(lines)]
        return Script(spec).answer([Message("assistant", spec.opening), *messages])

    assert after("choose day mourning") == tuesday
    assert after("beef or satyr day") == pardon, "an example with a no is not meant by words without one"
    assert (after("that is enough"), after("debt is a nerve")) == (enough, pardon)
    assert after("wad did jew sea") == pardon, "nobody asked for that"
    assert after("what did you say", "Sorry.", "choose day mourning") == pardon
    assert after("choose day mourning and a great many other words too") == pardon


def test_words_that_nearly_answer_the_question_do_not_end_the_call_unasked() -> None:
    intents = (
        Intent(name="time", after=("opening",), examples=("yes i do have time now",), answer="Good."),
        Intent(name="busy", examples=("i have to go now",), answer="Bye.", ends_call=True),
    )
    script = Script(AgentSpec(name="Ada", prompt="", opening="Time?", intents=intents))
    heard = Message("user", "i have time go now")
    assert [match.intent.name for match in IntentMatcher(intents).rank(heard.content)] == ["busy", "time"]
    assert script.answer([Message("assistant", "Time?"), heard]).text == "Good."
    assert script.answer([Message("assistant", "Good."), heard]).text == "Bye."


def test_an_example_with_a_no_in_it_does_not_end_the_call_without_one() -> None:
    matcher = IntentMatcher((Intent(name="busy", examples=("i have no time",), answer="Bye.", ends_call=True),))
    assert [match.intent.name for match in matcher.rank("sorry i have no time")] == ["busy"]
    assert matcher.rank("yes i have time") == []


def test_the_best_example_counts_and_rare_words_count_more() -> None:
    ranked = IntentMatcher(SPEC.intents).rank("well how much is it then")
    assert [(match.intent.name, match.score) for match in ranked] == [("price", 1.0)]


def test_ending_the_call_needs_more_certainty_than_an_answer() -> None:
    intents = (
        Intent(name="ask", examples=("one two three",), answer=""),
        Intent(name="end", examples=("four five six", "nine ten"), answer="", ends_call=True),
    )
    matcher = IntentMatcher(intents)

    def names(text: str) -> list[str]:
        return [match.intent.name for match in matcher.rank(text)]

    assert (names("one"), names("four")) == (["ask"], [])
    assert (names("four five"), names("nine")) == (["end"], ["end"])


# --- tools -----------------------------------------------------------------------------------------------------------

CALLBACK = AgentSpec(
    name="Ada",
    prompt="",
    intents=(
        Intent(
            name="later",
            examples=("call me later",),
            answer="I noted it: {result}",
            tool="note",
            arguments={"words": "{words}", "place": "here"},
        ),
    ),
)
NOTE = ToolRequest("note-1", "note", '{"words": "call me later", "place": "here"}')


def test_an_intent_with_a_tool_uses_it_first_where_the_agent_has_it() -> None:
    asked = (Message("user", "call me later"),)
    used = Reply("", tool="note", arguments={"words": "call me later", "place": "here"})
    assert Script(CALLBACK, ["note"]).answer(asked) == used
    assert Script(CALLBACK).answer(asked) == Reply("I noted it: ")


def test_the_answer_follows_the_tool_also_behind_a_line_that_bridged_it() -> None:
    for bridge in ("", "One moment, please."):
        messages = (
            Message("user", "call me later"),
            Message("assistant", bridge, (NOTE,)),
            Message("tool", "Tuesday.", tool_call_id="note-1"),
        )
        assert Script(CALLBACK, ["note"]).answer(messages) == Reply("I noted it: Tuesday.")


def test_a_tool_that_did_nothing_is_not_sold_as_done() -> None:
    messages = (
        Message("user", "call me later"),
        Message("assistant", "", (NOTE,)),
        Message("tool", "Not done: it has passed.", tool_call_id="note-1"),
    )
    assert Script(CALLBACK, ["note"]).answer(messages) == Reply("I am sorry, that did not work just now.")
