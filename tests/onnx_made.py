"""Small networks in the ONNX format, made by the test itself."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def network(path: Path, inner: np.ndarray, given: tuple, said: tuple, kind: int) -> Path:
    """x (given) -> x reshaped to a row, times `inner` (in, out), reshaped to `said`."""
    x = helper.make_tensor_value_info("rows", kind, given)
    y = helper.make_tensor_value_info("said", kind, said)
    shapes = [np.array([1, len(inner)]), np.array([1, *said[1:]])]
    dtype = np.float32 if kind == TensorProto.FLOAT else np.float64
    held = [
        numpy_helper.from_array(inner.astype(dtype), "inner"),
        *(numpy_helper.from_array(s.astype(np.int64), f"s{i}") for i, s in enumerate(shapes)),
    ]
    nodes = [
        helper.make_node("Reshape", ["rows", "s0"], ["flat"]),
        helper.make_node("MatMul", ["flat", "inner"], ["mixed"]),
        helper.make_node("Reshape", ["mixed", "s1"], ["said"]),
    ]
    graph = helper.make_graph(nodes, "made", [x], [y], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(made)
    path.write_bytes(made.SerializeToString())
    return path


@cache
def made_up(what: str, metrics: int, window: int) -> Path:
    """A network of what is asked for; a forecast is the last row, a window comes back halved."""
    path = Path(mkdtemp()) / f"{what}.onnx"
    size = window * metrics
    given, kind = ("N", window, metrics), TensorProto.FLOAT
    if what == "output":
        return network(path, np.ones((size, 1)), given, (1, 1), kind)
    if what == "forecast":
        last = np.eye(size)[:, -metrics:]
        return network(path, last, given, (1, metrics), kind)
    return network(path, np.eye(size) / 2, given, (1, window, metrics), kind)


def partial(path: Path, what: str) -> Path:
    """A network of one number that looks it up among 10, 11, 12, or gives it back if it is < 1."""
    x = helper.make_tensor_value_info("rows", TensorProto.DOUBLE, (1, 1))
    y = helper.make_tensor_value_info("said", TensorProto.DOUBLE, (None,))
    table = numpy_helper.from_array(np.array([10.0, 11.0, 12.0]), "table")
    flat = numpy_helper.from_array(np.array([1]), "flat")
    one = numpy_helper.from_array(np.array([1.0]), "one")
    nodes = [helper.make_node("Reshape", ["rows", "flat"], ["x"])]
    if what == "lookup":
        nodes.append(helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64))
        nodes.append(helper.make_node("Gather", ["table", "i"], ["said"]))
    else:
        nodes.append(helper.make_node("Less", ["x", "one"], ["few"]))
        nodes.append(helper.make_node("Compress", ["x", "few"], ["said"]))
    graph = helper.make_graph(nodes, "made", [x], [y], [table, flat, one])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path
