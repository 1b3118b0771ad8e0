from campaigns.admin.parts import badge, micros


def test_a_badge_has_the_colour_of_its_meaning_and_escapes() -> None:
    assert badge("Running", "running") == '<span class="v-badge v-busy">Running</span>'
    assert badge("<b>", "?") == '<span class="v-badge v-quiet">&lt;b&gt;</span>'
    assert badge("") == ""


def test_millionths_are_shown_as_money() -> None:
    amounts = (None, 0, 4_999, 5_001, 1_234_560_000)
    assert [micros(amount) for amount in amounts] == ["", "0.00 USD", "under 0.01 USD", "0.01 USD", "1,234.56 USD"]
