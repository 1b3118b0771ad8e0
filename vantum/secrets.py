"""The installation's secret key: from the environment, or generated once and kept in an ignored file."""

import hmac
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def secret_key(given: str, data_dir: Path, *, may_generate: bool) -> str:
    """Give the key; without one a development run makes its own and keeps it, so that logins survive a restart."""
    if given:
        return given
    if not may_generate:
        command = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'
        message = f"SECRET_KEY is not set; make one with: {command} (under DEBUG=1 one is made and kept)"
        raise ImproperlyConfigured(message)
    path = data_dir / "secret_key"
    if path.exists():
        return path.read_text().strip()
    data_dir.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(50)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(key)
    draft.chmod(0o600)
    # link() is atomic and fails where another process was first: both then read the same key.
    try:
        os.link(draft, path)
    except FileExistsError:
        key = path.read_text().strip()
    finally:
        draft.unlink()
    return key


def derived_key(key: str, purpose: str) -> str:
    """Give the secret of one part of the installation: it tells nothing of the key, nor of another part's."""
    return hmac.new(key.encode(), purpose.encode(), "sha256").hexdigest()
