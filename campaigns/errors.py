"""What campaigns refuse, with the remedy in the text."""

from collections.abc import Sequence


class CampaignError(Exception):
    """A campaign cannot do what was asked; each problem is a sentence for the operator."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


class ImportRefusedError(Exception):
    """An import cannot go on. ``field`` names what to change, the text says how."""

    field = "file"


class MappingRefusedError(ImportRefusedError):
    """The columns of a file are not what they were said to be."""

    field = "mapping"
