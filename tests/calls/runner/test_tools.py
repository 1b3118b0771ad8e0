from calls.runner.tools import END_CALL, TOOLS, describe


def test_only_the_named_tools_are_described_and_unknown_names_are_left_out() -> None:
    assert describe(("end_call", "teleport")) == (END_CALL,)
    assert describe(()) == ()


def test_every_description_is_a_json_schema_function_under_its_own_name() -> None:
    for name, tool in TOOLS.items():
        assert tool["name"] == name
        assert set(tool) == {"name", "description", "parameters"}
        assert tool["parameters"]["type"] == "object"
        assert set(tool["parameters"]["required"]) <= set(tool["parameters"]["properties"])
