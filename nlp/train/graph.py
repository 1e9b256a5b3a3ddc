"""The network as an ONNX graph, node by node: weights of eight bits, answers that no neighbour moves.

Mirrors model.py. Each token row is divided by its own largest value before it is rounded, so a text gets the same
answer alone and in any batch (a scale shared by a batch would not give that), and sums of integers are exact. Weights
are kept within ±63, so that pairs of products fit sixteen bits and old and new processors agree.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from nlp.train.model import Network

OPSET = 21
CONTRIB = "com.microsoft"
WEIGHT_TOP = 63  # largest weight number
_STEP = 1 / 127  # of a rounded activation, after division by its row's largest value


class Form(StrEnum):
    """How products are computed."""

    FLOAT = "float"  # fp32: the reference
    EIGHT = "eight"  # eight-bit weights and activations, both scaled row by row


@dataclass(slots=True)
class _Graph:
    """Nodes and constants in the making."""

    form: Form
    nodes: list[Any] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    rounded_names: set[str] = field(default_factory=set)

    def const(self, name: str, values: NDArray[Any]) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        return self.const("i_" + "_".join(map(str, values)), np.asarray(values, np.int64))

    def add(self, kind: str, inputs: list[str], name: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def split(self, x: str, count: int, name: str) -> list[str]:
        """`x` cut along its last axis into equal parts."""
        names = [f"{name}_{number}" for number in range(count)]
        self.nodes.append(helper.make_node("Split", [x], names, name=name, axis=-1, num_outputs=count))
        return names

    def product(self, x: str, weight: NDArray[np.float32], name: str, *, exact: bool = False) -> str:
        """`x` times the transposed weight (outputs x inputs)."""
        if self.form is Form.FLOAT or exact:
            return self.add("MatMul", [x, self.const(name + "_w", weight.T)], name)
        small, top = self.rounded(x)
        values, scales = quantise_rows(weight, WEIGHT_TOP)
        columns = [self.const(name + "_q", values.T), "step", self.const(name + "_s", scales.reshape(-1)), "zero_point"]
        raw = self.add("MatMulIntegerToFloat", [small, *columns], name + "_unit", domain=CONTRIB)
        return self.add("Mul", [raw, top], name)

    def rounded(self, x: str) -> tuple[str, str]:
        """`x` as numbers of eight bits around 128, and the largest value of each row; made once for each `x`."""
        small, top = x + "_q", x + "_top"
        if x not in self.rounded_names:
            self.rounded_names.add(x)
            tiny = self.const("tiny", np.asarray(1e-9, np.float32))
            largest = self.add(
                "ReduceMax", [self.add("Abs", [x], x + "_abs"), self.ints(-1)], x + "_largest", keepdims=1
            )
            self.add("Max", [largest, tiny], top)
            step = self.const("step", np.asarray(_STEP, np.float32))
            zero = self.const("zero_point", np.asarray(128, np.uint8))
            inverse = self.add("Reciprocal", [top], x + "_inverse")
            self.add("QuantizeLinear", [self.add("Mul", [x, inverse], x + "_unit"), step, zero], small)
        return small, top

    def normed(self, x: str, other: str, bias: NDArray[np.float32], norm: Any, name: str) -> str:
        """Layer normalisation of `x` + `other` + bias."""
        total = self.add(
            "Add", [self.add("Add", [x, other], name + "_sum"), self.const(name + "_b", bias)], name + "_total"
        )
        weight, shift = self.const(name + "_g", array(norm.weight)), self.const(name + "_h", array(norm.bias))
        return self.add("LayerNormalization", [total, weight, shift], name, axis=-1, epsilon=float(norm.eps))


def array(tensor: Any) -> NDArray[np.float32]:
    """A parameter as fp32 numbers."""
    values: NDArray[np.float32] = tensor.detach().numpy().astype(np.float32)
    return values


def quantise_rows(table: NDArray[np.float32], top: int = 127) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A table -> whole numbers -top..top and one scale a row."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12).astype(np.float32) / top
    return np.rint(table / scales).astype(np.int8), scales


def build(network: Network, form: Form = Form.EIGHT) -> Any:
    """The model: `ids` (n x tokens) and `lengths` (n) -> `logits` (n x heads' labels) and `features` (n x hidden)."""
    graph = _Graph(form)
    x = _embedded(graph, network)
    mask = _mask(graph)
    last = len(network.layers) - 1
    for place, layer in enumerate(network.layers):
        x = _layer(graph, network, layer, x, mask, f"l{place}", first_only=place == last)
    graph.add("Squeeze", [x, graph.ints(1)], "features")
    answers = network.answers
    raw = graph.product("features", array(answers.weight), "answers", exact=True)
    graph.add("Add", [raw, graph.const("answers_b", array(answers.bias))], "logits")
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "tokens"]),
        helper.make_tensor_value_info("lengths", TensorProto.INT64, ["n"]),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", network.sizes.logits]),
        helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", network.sizes.hidden]),
    ]
    made = helper.make_graph(graph.nodes, "comptoir", inputs, outputs, list(graph.constants.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=10, producer_name="comptoir")
    onnx.checker.check_model(model)
    return model


def _embedded(graph: _Graph, network: Network) -> str:
    table = array(network.words.weight)
    if graph.form is Form.FLOAT:
        words = graph.add("Gather", [graph.const("words", table), "ids"], "words_at")
    else:
        values, scales = quantise_rows(table)
        small = graph.add("Gather", [graph.const("words_q", values), "ids"], "words_small")
        real = graph.add("Cast", [small], "words_real", to=TensorProto.FLOAT)
        scale = graph.add("Gather", [graph.const("words_s", scales), "ids"], "words_scale")
        words = graph.add("Mul", [real, scale], "words_at")
    shape = graph.add("Shape", ["ids"], "ids_shape")
    tokens = graph.add("Slice", [shape, graph.ints(1), graph.ints(2)], "tokens")
    places = graph.add(
        "Slice",
        [graph.const("places", array(network.places.weight)), graph.ints(0), tokens, graph.ints(0)],
        "places_at",
    )
    total = graph.add("Add", [words, places], "embedded_sum")
    norm = network.norm
    return graph.add(
        "LayerNormalization",
        [total, graph.const("norm_g", array(norm.weight)), graph.const("norm_h", array(norm.bias))],
        "embedded",
        axis=-1,
        epsilon=float(norm.eps),
    )


def _mask(graph: _Graph) -> str:
    count = graph.add("Squeeze", ["tokens", graph.ints(0)], "token_count")
    zero, step = graph.const("whole_0", np.asarray(0, np.int64)), graph.const("whole_1", np.asarray(1, np.int64))
    places = graph.add("Range", [zero, count, step], "place_numbers")
    limit = graph.add("Unsqueeze", ["lengths", graph.ints(1)], "limit")
    present = graph.add("Less", [places, limit], "present")
    nothing = graph.const("f_0", np.asarray(0, np.float32))
    hidden = graph.const("f_hidden", np.asarray(-1e4, np.float32))
    mask = graph.add("Where", [present, nothing, hidden], "mask_flat")
    return graph.add("Unsqueeze", [mask, graph.ints(1, 2)], "mask")


def _layer(graph: _Graph, network: Network, layer: Any, x: str, mask: str, name: str, *, first_only: bool) -> str:
    hidden, heads = network.sizes.hidden, network.sizes.heads
    size = hidden // heads
    weight, bias = array(layer.qkv.weight), array(layer.qkv.bias)
    source = x
    scale = np.ones((3 * hidden, 1), np.float32)
    scale[:hidden] = size**-0.5
    weight, bias = weight * scale, bias * scale[:, 0]
    if first_only:
        x = graph.add("Slice", [x, graph.ints(0), graph.ints(1), graph.ints(1)], f"{name}_first")
        query = _biased(graph, x, weight[:hidden], bias[:hidden], f"{name}_query")
        both = _biased(graph, source, weight[hidden:], bias[hidden:], f"{name}_both")
        key, value = graph.split(both, 2, f"{name}_kv")
    else:
        query, key, value = graph.split(_biased(graph, x, weight, bias, f"{name}_all"), 3, f"{name}_qkv")
    query, key, value = (
        _heads(graph, part, heads, size, order)
        for part, order in ((query, [0, 2, 1, 3]), (key, [0, 2, 3, 1]), (value, [0, 2, 1, 3]))
    )
    close = graph.add("Add", [graph.add("MatMul", [query, key], f"{name}_close"), mask], f"{name}_masked")
    share = graph.add("Softmax", [close], f"{name}_share", axis=-1)
    mixed = graph.add("MatMul", [share, value], f"{name}_mixed")
    mixed = graph.add("Transpose", [mixed], f"{name}_mixed_t", perm=[0, 2, 1, 3])
    mixed = graph.add("Reshape", [mixed, graph.ints(0, 0, hidden)], f"{name}_mixed_r")
    out = graph.product(mixed, array(layer.out.weight), f"{name}_out")
    x = graph.normed(x, out, array(layer.out.bias), layer.norm_attention, f"{name}_norm_attention")
    up = graph.product(x, array(layer.up.weight), f"{name}_up")
    inner = graph.add(
        "BiasGelu", [up, graph.const(f"{name}_up_b", array(layer.up.bias))], f"{name}_gelu", domain=CONTRIB
    )
    down = graph.product(inner, array(layer.down.weight), f"{name}_down")
    return graph.normed(x, down, array(layer.down.bias), layer.norm_inner, f"{name}_norm_inner")


def _biased(graph: _Graph, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32], name: str) -> str:
    made = graph.product(x, weight, name)
    return graph.add("Add", [made, graph.const(name + "_b", bias)], name + "_biased")


def _heads(graph: _Graph, x: str, heads: int, size: int, order: list[int]) -> str:
    parts = graph.add("Reshape", [x, graph.ints(0, 0, heads, size)], x + "_parts")
    return graph.add("Transpose", [parts], x + "_heads", perm=order)
