"""Networks of other programs in the ONNX format, run by ONNX Runtime in one thread."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from amiss.data import Array

LARGEST = 16 * 2**20  # bytes: it is kept with the memory of the pipeline
KINDS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
HELD = 8  # networks that are ready to run

_ready: dict[str, "Network"] = {}


def read(file: str) -> tuple[bytes, str]:
    """The bytes of a file and their SHA-256. Raises ValueError with a sentence if it is no good."""
    try:
        with open(file, "rb") as opened:
            body = opened.read(LARGEST + 1)
    except OSError as exc:
        raise ValueError(f"{file} cannot be read: {exc.strerror}") from None
    if len(body) > LARGEST:
        raise ValueError(f"{file} is larger than {LARGEST // 2**20} MB, which is most")
    return body, hashlib.sha256(body).hexdigest()


@dataclass(frozen=True, slots=True)
class Network:
    """One input of rows, one output of numbers."""

    session: Any
    input: str
    output: str
    kind: Any  # of numpy
    shape: tuple[int, ...]  # of what it is given at once

    def __call__(self, windows: Array) -> Array:
        """Windows (N, W, F) -> what it says of each (N, outputs), float64.

        One at a time: in a batch the last digits would depend on the company.
        """
        found = [
            self.session.run([self.output], {self.input: one.astype(self.kind).reshape(self.shape)})
            for one in windows
        ]
        return np.array([one[0].reshape(-1) for one in found], np.float64)


def network(body: bytes, digest: str, window: int, metrics: int, names: tuple[str, str]) -> Network:
    """The network of these bytes for windows (window, metrics), made once.

    `names` are those of input and output, "" for the only one. Raises ValueError with a sentence
    if ONNX Runtime is not installed, or if the network is not made for this.
    """
    key = f"{digest}/{window}/{metrics}/{names}"
    if key not in _ready:
        while len(_ready) >= HELD:
            del _ready[next(iter(_ready))]
        _ready[key] = _network(body, window, metrics, names)
    return _ready[key]


def _network(body: bytes, window: int, metrics: int, names: tuple[str, str]) -> Network:
    try:
        import onnxruntime
    except ImportError:
        raise ValueError("onnxruntime is not installed; install amiss[onnx]") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(body, options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # it has many kinds, of no common base
        raise ValueError(f"it is no network that can be run: {_first(exc)}") from None
    given = _one("input", names[0], session.get_inputs())
    said = _one("output", names[1], session.get_outputs())
    if given.type not in KINDS:
        raise ValueError(f"its input {given.name!r} is {given.type}; float or double is needed")
    if said.type not in KINDS:
        raise ValueError(f"its output {said.name!r} is {said.type}; float or double is needed")
    shape = _shape(given, window, metrics)
    found = Network(session, given.name, said.name, KINDS[given.type], shape)
    try:
        found(np.zeros((1, window, metrics)))
    except Exception as exc:
        raise ValueError(f"it cannot be run on zeros: {_first(exc)}") from None
    return found


def _one(what: str, name: str, there: list[Any]) -> Any:
    named = [one for one in there if name in ("", one.name)]
    if len(named) == 1:
        return named[0]
    known = ", ".join(one.name for one in there)
    said = f"has no {what} {name!r}" if name else f"has {len(there)} {what}s; name one"
    raise ValueError(f"it {said}: {known}")


def _shape(given: Any, window: int, metrics: int) -> tuple[int, ...]:
    """(1, F), (1, W F) or (1, W, F), whichever the input takes."""
    wanted = {2: (1, window * metrics), 3: (1, window, metrics)}.get(len(given.shape), ())
    fits = len(wanted) and all(
        not isinstance(size, int) or size == n for size, n in zip(given.shape, wanted, strict=True)
    )
    if not fits:
        raise ValueError(
            f"its input {given.name!r} has the shape {_written(given.shape)}; windows of {window} "
            f"rows of {metrics} metrics are {_written((1, window, metrics))} or "
            f"{_written((1, window * metrics))}"
        )
    return wanted


def _written(shape: Any) -> str:
    return f"({', '.join(str(size) for size in shape)})"


def _first(exc: Exception) -> str:
    """The first line of what it complains of."""
    return (str(exc).splitlines() or [type(exc).__name__])[0][:200]
