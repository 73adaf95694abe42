"""Networks of other programs in the ONNX format, run by ONNX Runtime in one thread."""

import hashlib
import threading
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from amiss.data import Array

LARGEST = 16 * 2**20  # bytes: it is kept with the memory of the pipeline
KINDS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
HELD = 8  # networks that are ready to run

MOST = 3e38  # what is further from 0 is no float32

_ready: dict[str, "Network"] = {}
_making = threading.Lock()


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
    size: int  # numbers of its output

    def __call__(self, windows: Array) -> Array:
        """Windows (N, W, F) -> what it says of each (N, outputs), float64.

        NaN where it cannot be run on these values, or says more or fewer numbers than on zeros.
        One at a time: in a batch the last digits would depend on the company.
        """
        said = np.full((len(windows), self.size), np.nan)
        for i, one in enumerate(windows):
            try:
                found = self.run(one)
            except Exception:  # it has many kinds, of no common base
                found = np.zeros(0)
            if len(found) == self.size:
                said[i] = found
        return said

    def run(self, one: Array) -> Array:
        """What it says (outputs,) of one window (W, F). Raises whatever ONNX Runtime raises."""
        given = np.clip(one, -MOST, MOST).astype(self.kind).reshape(self.shape)
        return np.asarray(self.session.run([self.output], {self.input: given})[0].reshape(-1))


def network(
    body: bytes | memoryview, digest: str, window: int, metrics: int, names: tuple[str, str]
) -> Network:
    """The network of these bytes for windows (window, metrics), made once.

    `names` are those of input and output, "" for the only one. Raises ValueError with a sentence
    if ONNX Runtime is not installed, if the network is not made for this, or if the bytes are not
    those of the SHA-256 `digest`.
    """
    key = f"{digest}/{window}/{metrics}/{names}"
    with _making:
        found = _ready.pop(key, None)
        if found is None:
            if hashlib.sha256(body).hexdigest() != digest:
                raise ValueError(f"it is not the network of the SHA-256 {digest}")
            found = _network(bytes(body), window, metrics, names)
        while len(_ready) >= HELD:
            del _ready[next(iter(_ready))]
        _ready[key] = found  # the last to go
    return found


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
    found = Network(session, given.name, said.name, KINDS[given.type], shape, 0)
    try:
        return replace(found, size=len(found.run(np.zeros((window, metrics)))))
    except Exception as exc:
        raise ValueError(f"it cannot be run on zeros: {_first(exc)}") from None


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
