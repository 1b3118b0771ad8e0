"""Reads the weights out of an ONNX file without a runtime; enough of Protocol Buffers for that, and no more.

Two things are told: the weights by branch and name, and a digest of all that is not a weight. A program that evaluates
the network itself knows by the digest that the file still describes the network that it was written for.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Field numbers of ModelProto, GraphProto, NodeProto, AttributeProto and TensorProto (onnx.proto).
_MODEL_GRAPH = 7
_GRAPH_NODE = 1
_NODE_ATTRIBUTE = 5
_ATTRIBUTE_NAME, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 1, 5, 6
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_BYTES = 1, 2, 8, 9
_FLOAT32 = 1
_VARINT, _EIGHT_BYTES, _SIZED, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10


class ModelFileError(Exception):
    """The file is no ONNX model, or not the one that is expected; the text says which."""


@dataclass(frozen=True)
class Weights:
    """What was found: ``branches`` by the name of the attribute that holds them (``then_branch``), then by tensor."""

    skeleton: str
    branches: dict[str, dict[str, Floats]]


def read_weights(path: Path) -> Weights:
    """Read the named float32 tensors of the constants that stand in the branches of the model's If nodes.

    Raises ``OSError``, or ``ModelFileError`` where the file cannot be read as Protocol Buffers.
    """
    reader = _Reader(path.read_bytes())
    try:
        reader.read_model()
    except (IndexError, ValueError) as error:
        message = f"{path.name} is no ONNX model: {error}"
        raise ModelFileError(message) from error
    return Weights(reader.skeleton(), reader.branches)


@dataclass
class _Reader:
    data: bytes
    branches: dict[str, dict[str, Floats]] = field(default_factory=dict)
    _spans: list[tuple[int, int]] = field(default_factory=list)
    """Where the bytes of the weights lie, in the order of the file."""

    def read_model(self) -> None:
        for number, _, start, end in self._fields(0, len(self.data)):
            if number == _MODEL_GRAPH:
                self._read_graph(start, end, "")

    def skeleton(self) -> str:
        """Give the digest of all that lies between the weights."""
        digest = hashlib.sha256()
        at = 0
        for start, end in self._spans:
            digest.update(memoryview(self.data)[at:start])
            at = end
        digest.update(memoryview(self.data)[at:])
        return digest.hexdigest()

    def _read_graph(self, start: int, end: int, branch: str) -> None:
        for number, _, node, node_end in self._fields(start, end):
            if number == _GRAPH_NODE:
                for inner, _, attribute, attribute_end in self._fields(node, node_end):
                    if inner == _NODE_ATTRIBUTE:
                        self._read_attribute(attribute, attribute_end, branch)

    def _read_attribute(self, start: int, end: int, branch: str) -> None:
        """Take a weight, or go into the first level of branches: what is in there has no weights of its own."""
        parts = {number: (at, until) for number, _, at, until in self._fields(start, end)}
        if branch and _ATTRIBUTE_TENSOR in parts:
            self._read_tensor(*parts[_ATTRIBUTE_TENSOR], branch)
        elif not branch and _ATTRIBUTE_GRAPH in parts:
            at, until = parts.get(_ATTRIBUTE_NAME, (0, 0))
            self._read_graph(*parts[_ATTRIBUTE_GRAPH], self.data[at:until].decode())

    def _read_tensor(self, start: int, end: int, branch: str) -> None:
        shape: list[int] = []
        kind = 0
        name, span = "", (0, 0)
        for number, value, at, until in self._fields(start, end):
            if number == _TENSOR_DIMS:
                shape.append(value)
            elif number == _TENSOR_TYPE:
                kind = value
            elif number == _TENSOR_NAME:
                name = self.data[at:until].decode()
            elif number == _TENSOR_BYTES:
                span = at, until
        if name and kind == _FLOAT32 and span[1]:
            values = np.frombuffer(self.data[slice(*span)], "<f4").reshape(shape)
            self.branches.setdefault(branch, {})[name] = values
            self._spans.append(span)

    def _fields(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Give each field of a message: its number, its value if it is a number, and where its bytes lie."""
        while at < end:
            key, at = self._varint(at)
            value, start = 0, at
            kind = key & 7
            if kind == _VARINT:
                value, at = self._varint(at)
            elif kind == _SIZED:
                size, start = self._varint(at)
                at = start + size
            elif kind in {_FOUR_BYTES, _EIGHT_BYTES}:
                at += 4 if kind == _FOUR_BYTES else 8
            else:
                message = f"a field of kind {kind} at byte {start}"
                raise ValueError(message)
            if at > end:
                message = f"it ends in the middle of a field at byte {start}"
                raise ValueError(message)
            yield key >> 3, value, start, at

    def _varint(self, at: int) -> tuple[int, int]:
        """Give a number and where it ends."""
        value = 0
        for place in range(_LONGEST_VARINT):
            byte = self.data[at + place]
            value |= (byte & 127) << 7 * place
            if byte < 128:  # noqa: PLR2004 (the bit that says that more follows)
                return value, at + place + 1
        message = f"a number without an end at byte {at}"
        raise ValueError(message)
