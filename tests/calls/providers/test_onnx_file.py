"""Files put together field by field, as Protocol Buffers have them."""

import struct
from pathlib import Path

import numpy as np
import pytest

from calls.providers.onnx_file import ModelFileError, Weights, read_weights

FLOAT32, INT64 = 1, 7


def varint(value: int) -> bytes:
    head, rest = value & 127, value >> 7
    return bytes([head | 128]) + varint(rest) if rest else bytes([head])


def number(place: int, value: int) -> bytes:
    return varint(place << 3) + varint(value)


def sized(place: int, content: bytes) -> bytes:
    return varint(place << 3 | 2) + varint(len(content)) + content


def tensor(name: str, values: list[list[float]], kind: int = FLOAT32) -> bytes:
    shape = number(1, len(values)) + number(1, len(values[0]))
    data = np.array(values, "<f4").tobytes()
    return shape + number(2, kind) + sized(8, name.encode()) + sized(9, data)


def constant(content: bytes) -> bytes:
    """Write a graph's node that gives a tensor."""
    attribute = sized(1, b"value") + sized(5, content) + number(20, 4)
    return sized(1, sized(2, b"out") + sized(4, b"Constant") + sized(5, attribute))


def model(then: bytes, otherwise: bytes, *, producer: bytes = b"us") -> bytes:
    """Write a model with one If node, between fields of kinds that nobody asks for."""
    branches = sized(5, sized(1, b"then_branch") + sized(6, then)) + sized(
        5, sized(1, b"else_branch") + sized(6, otherwise)
    )
    graph = sized(1, sized(1, b"sr") + sized(4, b"If") + branches) + sized(2, b"name")
    others = varint(60 << 3 | 5) + struct.pack("<f", 1.0) + varint(61 << 3 | 1) + struct.pack("<d", 1.0)
    return number(1, 8) + sized(2, producer) + others + sized(7, graph)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "network.onnx"


def read(path: Path, data: bytes) -> Weights:
    path.write_bytes(data)
    return read_weights(path)


def test_weights_are_told_by_branch_and_name(path: Path) -> None:
    one, two = tensor("one", [[1, 2, 3], [4, 5, 6]]), tensor("two", [[0.5] * 300])
    weights = read(path, model(constant(one) + constant(two), constant(one)))
    assert {branch: list(found) for branch, found in weights.branches.items()} == {
        "then_branch": ["one", "two"],
        "else_branch": ["one"],
    }
    assert weights.branches["then_branch"]["one"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert weights.branches["then_branch"]["two"].shape == (1, 300)


def test_tensors_without_a_name_or_of_whole_numbers_belong_to_the_skeleton(path: Path) -> None:
    def given(value: float) -> Weights:
        return read(path, model(constant(tensor("", [[value]])) + constant(tensor("n", [[value]], INT64)), b""))

    assert given(1).branches == {}
    assert given(1).skeleton != given(2).skeleton


def test_the_skeleton_is_all_but_the_weights(path: Path) -> None:
    def skeleton(value: float = 1, name: str = "one", producer: bytes = b"us") -> str:
        return read(path, model(constant(tensor(name, [[value, 2]])), b"", producer=producer)).skeleton

    assert skeleton(value=3) == skeleton()
    assert len({skeleton(), skeleton(name="two"), skeleton(producer=b"me")}) == 3


def test_weights_in_a_branch_of_a_branch_are_left_alone(path: Path) -> None:
    inner = sized(1, sized(4, b"If") + sized(5, sized(1, b"then_branch") + sized(6, constant(tensor("in", [[1]])))))
    assert read(path, model(inner, b"")).branches == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x0f", "a field of kind 7 at byte 1"),
        (b"\x3a\x05\x0a", "it ends in the middle of a field at byte 2"),
        (b"\x08" + b"\xff" * 11, "a number without an end at byte 1"),
        (b"\x08\xff", "index out of range"),
        (model(constant(tensor("one", [[1, 2]])).replace(b"\x08\x02", b"\x08\x03"), b""), "cannot reshape array"),
        (model(constant(tensor("\xff", [[1]])).replace("\xff".encode(), b"\xff\xff"), b""), "can't decode byte"),
    ],
)
def test_what_is_no_model_is_said_with_its_reason(path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(ModelFileError, match=rf"^network.onnx is no ONNX model: .*{reason}"):
        read(path, data)


def test_a_file_that_was_cut_off_anywhere_is_refused(path: Path) -> None:
    whole = model(constant(tensor("one", [[1, 2]])), constant(tensor("two", [[3]])))
    expected = read(path, whole)
    graph = whole.index(varint(7 << 3 | 2))
    for length in range(graph + 1, len(whole)):
        with pytest.raises(ModelFileError):
            read(path, whole[:length])
    assert read(path, whole[:graph]).skeleton != expected.skeleton
