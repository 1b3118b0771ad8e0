"""The Silero voice activity network (https://github.com/snakers4/silero-vad, MIT), evaluated with NumPy.

A general runtime costs each web process 43 MB for this one small network, and a window three times the processor time.
It is: a short-time Fourier transform of four frames, four convolutions over time, one LSTM cell and one output. The
weights come from the ONNX file; a digest tells whether the file still describes this network.

Activations lie as (time, features, windows). So each step of a convolution is one product of its weights (outputs, taps
times features) and rows that lie next to each other; nothing is rearranged or copied, and taps that fall on the padding
are left out. The results are onnxruntime's but for rounding; ``tests/calls/providers/test_silero.py`` compares them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import as_strided

from calls.providers.onnx_file import Floats, ModelFileError, read_weights

_BRANCHES = {8_000: "else_branch", 16_000: "then_branch"}
_SKELETON = "9f155823dd7d1ea4e0a34b4d047fa642d0fe2c0b11b3fc3f3142fa98c9297cf3"
"""Of silero_vad.onnx in the releases 6.0.0 to 6.2.3: all nodes, connections and constants, and no weights."""
_UNITS = 128
"""Of the LSTM cell."""
STATE = 2 * _UNITS
"""Numbers that the cell remembers of a call: its output, then its state."""
_FRAMES = 4
"""In each window."""
_STRIDES = (1, 2, 2, 1)
"""Of the convolutions; each has three taps and a padding of one at both ends."""
_HALF = np.float32(0.5)


def load_networks(path: Path) -> "dict[int, SileroNetwork]":
    """Read the networks for 8 and 16 kHz out of silero_vad.onnx.

    Raises ``OSError``, or ``ModelFileError`` where the file holds anything but the network that is evaluated here.
    """
    weights = read_weights(path)
    if weights.skeleton != _SKELETON:
        message = (
            f"{path.name} describes another network than that of silero-vad 6.0 to 6.2, which alone can be evaluated; "
            "pip install --no-deps -r requirements-nodeps.txt"
        )
        raise ModelFileError(message)
    return {rate: SileroNetwork(weights.branches[branch]) for rate, branch in _BRANCHES.items()}


class SileroNetwork:
    """The network for one rate; not for two threads at once.

    Between windows it remembers ``memory`` numbers of each call: the cell's output and state (128 each), then the last
    eighth of the window, which it hears again at the beginning of the next. Of a new call it remembers zeros.
    """

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        """Lay the weights out for products; ``weights`` by their names in the file."""
        self._basis = weights["stft.forward_basis_buffer"][:, 0].copy()
        self._bins = len(self._basis) // 2
        self._hop = self._basis.shape[1] // 2
        self.window = _FRAMES * self._hop
        self.memory = STATE + self._hop // 2
        self._kernels, self._biases = [], []
        for layer in range(len(_STRIDES)):
            kernel = weights[f"encoder.{layer}.reparam_conv.weight"]
            self._kernels.append(kernel.transpose(0, 2, 1).reshape(len(kernel), -1))
            self._biases.append(weights[f"encoder.{layer}.reparam_conv.bias"].reshape(-1, 1).copy())
        # The gates are input, forget, new, output in the file; here what is a sigmoid comes first. A sigmoid is a half,
        # and half the hyperbolic tangent of half the argument; the inner half is in the weights.
        order, scale = [0, 1, 3, 2], np.array([0.5, 0.5, 0.5, 1], np.float32).reshape(4, 1, 1)
        both = np.concatenate([weights["decoder.rnn.weight_ih"], weights["decoder.rnn.weight_hh"]], axis=1)
        biases = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._cell = both.reshape(4, _UNITS, -1)[order] * scale
        self._cell_bias = biases.reshape(4, _UNITS, 1)[order] * scale
        self._last = weights["decoder.decoder.2.weight"].reshape(_UNITS) * _HALF
        self._last_bias = weights["decoder.decoder.2.bias"] * _HALF
        self._scratch = np.empty(0, np.float32)
        self._desks: dict[int, _Desk] = {}

    def judge(self, windows: Floats, memories: Floats) -> list[float]:
        """Give the probability of speech in each of ``windows`` (count, samples), in -1 to 1.

        ``memories`` (count, ``memory``) are those of the windows' calls, and are brought up to date in place.
        """
        desk = self._desks.get(len(windows)) or self._set_up(len(windows))
        context = memories[:, STATE:]
        desk.context[:] = context
        desk.window[:] = windows
        desk.padding[:] = desk.mirrored
        context[:] = windows[:, -context.shape[1] :]
        desk.output[:] = memories[:, :_UNITS].T
        desk.state[:] = memories[:, _UNITS:STATE].T
        self._encode(desk)
        self._remember(desk)
        memories[:, :_UNITS] = desk.output.T
        memories[:, _UNITS:STATE] = desk.state.T
        np.maximum(desk.output, 0, out=desk.spare)
        scores: list[float] = (np.tanh(self._last @ desk.spare + self._last_bias) * _HALF + _HALF).tolist()
        return scores

    def _encode(self, desk: "_Desk") -> None:
        """From the samples to what the cell takes in: magnitudes of the spectrum, and the convolutions."""
        np.matmul(self._basis, desk.frames, out=desk.spectrum)
        np.multiply(desk.spectrum, desk.spectrum, out=desk.spectrum)
        np.add(desk.spectrum[:, : self._bins], desk.spectrum[:, self._bins :], out=desk.magnitudes)
        np.sqrt(desk.magnitudes, out=desk.magnitudes)
        for (products, whole), bias in zip(desk.layers, self._biases, strict=True):
            for kernel, rows, result in products:
                np.matmul(kernel, rows, out=result)
            np.add(whole, bias, out=whole)
            np.maximum(whole, 0, out=whole)

    def _remember(self, desk: "_Desk") -> None:
        """Take the cell one step on. A product for each gate: of that size OpenBLAS does not rearrange them first."""
        np.matmul(self._cell, desk.cell_input, out=desk.gates)
        np.add(desk.gates, self._cell_bias, out=desk.gates)
        np.tanh(desk.gates, out=desk.gates)
        np.multiply(desk.gates[:3], _HALF, out=desk.gates[:3])
        np.add(desk.gates[:3], _HALF, out=desk.gates[:3])
        take, keep, show, new = desk.gates
        np.multiply(take, new, out=desk.spare)
        np.multiply(keep, desk.state, out=desk.state)
        np.add(desk.state, desk.spare, out=desk.state)
        np.tanh(desk.state, out=desk.spare)
        np.multiply(show, desk.spare, out=desk.output)

    def _set_up(self, count: int) -> "_Desk":
        """Prepare for this many windows. All sizes share the scratch memory, which is as large as the largest needs."""
        features = [self._bins, *(len(kernel) for kernel in self._kernels)]
        steps = [_FRAMES]
        for stride in _STRIDES:
            steps.append(-(-steps[-1] // stride))
        shapes = [
            (count, (_FRAMES + 1) * self._hop),
            (_FRAMES, 2 * self._bins, count),
            *((steps[at], features[at], count) for at in range(len(_STRIDES))),
            (2, _UNITS, count),
            (4, _UNITS, count),
            (2, _UNITS, count),
        ]
        if self._scratch.size < sum(map(prod, shapes)):
            self._scratch = np.empty(sum(map(prod, shapes)), np.float32)
            self._desks.clear()
        samples, spectrum, *activations, cell_input, gates, own = _parts(self._scratch, shapes)
        activations.append(cell_input[:1])  # the last convolution writes to where the cell reads
        end = samples.shape[1] - self._hop // 2
        hop, window = samples.strides[1] * self._hop, samples.strides[0]
        desk = self._desks[count] = _Desk(
            context=samples[:, : end - self.window],
            window=samples[:, end - self.window : end],
            padding=samples[:, end:],
            mirrored=samples[:, end - 2 : end - 2 - self._hop // 2 : -1],
            frames=as_strided(samples, (_FRAMES, 2 * self._hop, count), (hop, samples.strides[1], window)),
            spectrum=spectrum,
            magnitudes=activations[0],
            layers=[
                (list(_products(self._kernels[at], stride, activations[at], activations[at + 1])), activations[at + 1])
                for at, stride in enumerate(_STRIDES)
            ],
            cell_input=cell_input.reshape(2 * _UNITS, count),
            output=cell_input[1],
            gates=gates,
            state=own[0],
            spare=own[1],
        )
        return desk


@dataclass(frozen=True)
class _Desk:
    """Where batches of one size are worked on: views of the scratch memory, each with windows as its last axis."""

    context: Floats
    window: Floats
    padding: Floats
    mirrored: Floats
    frames: Floats
    spectrum: Floats
    magnitudes: Floats
    layers: list[tuple[list[tuple[Floats, Floats, Floats]], Floats]]
    """Of each convolution the products to be made (weights, rows, result), and the whole of its results."""
    cell_input: Floats
    output: Floats
    gates: Floats
    state: Floats
    spare: Floats


def _parts(memory: Floats, shapes: list[tuple[int, ...]]) -> Iterator[Floats]:
    """Give arrays of these shapes, one after the other in ``memory``."""
    at = 0
    for shape in shapes:
        yield memory[at : at + prod(shape)].reshape(shape)
        at += prod(shape)


def _products(kernel: Floats, stride: int, taken: Floats, given: Floats) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Give weights, rows and result for each step of a convolution; taps that fall on the padding are left out."""
    steps, features, count = taken.shape
    for step, result in enumerate(given):
        first = stride * step - 1
        begin, end = max(first, 0), min(first + 3, steps)
        yield (
            kernel[:, (begin - first) * features : (end - first) * features],
            taken[begin:end].reshape(-1, count),
            result,
        )
