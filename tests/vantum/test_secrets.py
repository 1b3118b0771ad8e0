from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from vantum.secrets import derived_key, secret_key


def test_a_given_key_is_used_and_nothing_is_written(tmp_path: Path) -> None:
    assert secret_key("given", tmp_path, may_generate=True) == "given"
    assert list(tmp_path.iterdir()) == []


def test_a_generated_key_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    key = secret_key("", tmp_path / "var", may_generate=True)
    kept = tmp_path / "var" / "secret_key"
    assert secret_key("", tmp_path / "var", may_generate=True) == key == kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert list((tmp_path / "var").iterdir()) == [kept]


def test_without_debug_a_missing_key_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"SECRET_KEY is not set; make one with: python -c"):
        secret_key("", tmp_path, may_generate=False)


def test_each_purpose_has_a_secret_of_its_own_that_stays_the_same() -> None:
    made = {derived_key(key, purpose) for key in ("one", "two") for purpose in ("sandbox", "another") for _ in range(2)}
    assert len(made) == 4
    assert not any("one" in secret for secret in made)
