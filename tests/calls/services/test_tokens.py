import pytest
from django.core.signing import BadSignature
from django.utils import timezone
from pytest_django import Settings

from calls.services.tokens import make_call_token, read_call_token


@pytest.mark.parametrize("user_id", [None, 7])
def test_a_token_names_its_user(user_id: int | None) -> None:
    assert read_call_token(make_call_token(user_id=user_id)) == user_id


@pytest.mark.parametrize(
    "spoil", [lambda token: token[:-1], lambda token: "x" + token, lambda _: "", lambda _: "a:b:c"]
)
def test_a_forged_token_is_refused(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(BadSignature):
        read_call_token(spoil(make_call_token()))


def test_an_old_token_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WS_TOKEN_SECONDS = 60
    token = make_call_token(user_id=7)
    now = timezone.now().timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + 59)
    assert read_call_token(token) == 7
    monkeypatch.setattr("django.core.signing.time.time", lambda: now + 62)
    with pytest.raises(BadSignature):
        read_call_token(token)
