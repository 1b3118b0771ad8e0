"""What is wrong with a whole file. What is wrong with one row is text beside that row."""


class ImportRefusedError(ValueError):
    """An import cannot go on. ``field`` names what to change, the text says how."""

    field = "file"


class MappingRefusedError(ImportRefusedError):
    """The columns are not what they were said to be."""

    field = "mapping"
