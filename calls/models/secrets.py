"""What the operator's tools must show to other servers, and nobody else may see."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from vantum.sealing import seal, unseal

one_line = RegexValidator(r"^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z", "Printable ASCII in one line only.")
"""What a header can carry."""


class Secret(models.Model):
    """A value that an agent's HTTP tool sends in a header. Agents name it; versions, logs and pages never hold it.

    The database holds it sealed; who reads ``value`` opens it, and gets a ``SealError`` where the key was changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(
        max_length=60, unique=True, validators=[RegexValidator(r"^[\w-]+\Z", "Letters, digits, _ and - only.")]
    )
    sealed = models.TextField(editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        """By name."""

        ordering = ("name",)
        constraints = (models.CheckConstraint(condition=~Q(name=""), name="secret_has_a_name"),)

    def __str__(self) -> str:
        """Give the name."""
        return self.name

    @property
    def value(self) -> str:
        """The value itself. Raises ``SealError``."""
        return unseal(self.sealed)

    @value.setter
    def value(self, written: str) -> None:
        self.sealed = seal(written)
