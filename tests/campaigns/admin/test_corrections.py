from campaigns.admin.corrections import CorrectionForm

SAID = {
    "disposition": "other",
    "summary": "Talk.",
    "sentiment": "neutral",
    "interest": 10,
    "topics": ["price"],
    "action_items": [{"text": "Send it.", "owner": "business"}],
    "fields": {"roof": "flat"},
    "quality_score": None,
}
TYPED = SAID | {
    "topics": "price",
    "action_items": '[{"owner": "business", "text": "Send it."}]',
    "fields_found": '{"roof": "flat"}',
    "quality_score": "",
    "note": "",
}


class Judged:
    """A judgement that nobody has corrected."""

    def corrected(self) -> dict[str, object]:
        return SAID


def changes(**typed: str) -> dict[str, object]:
    form = CorrectionForm(TYPED | typed, analysis=Judged())
    assert form.is_valid(), form.errors
    return form.changes()


def test_what_is_typed_as_it_was_is_no_change() -> None:
    assert changes() == {}


def test_only_what_was_changed_is_a_change() -> None:
    changed = changes(topics="price\nroof", fields_found="", quality_score="80")
    assert changed == {"topics": ["price", "roof"], "fields": {}, "quality_score": 80}
