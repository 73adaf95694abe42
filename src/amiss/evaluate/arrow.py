"""Arrow arrays to numpy and back, by their buffers.

Arrow's own ways (`pa.array`, `to_numpy`, scalars) import pandas, which takes .3 s and 50 MB.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from amiss.data import Array, Floats


def floats(array: Any) -> Floats:
    """Float64 of an Arrow array of numbers; null becomes NaN."""
    array = pc.cast(array, pa.float64(), safe=False)
    values = _plain(array, np.float64)
    if not array.null_count:
        return values
    return np.where(bools(array.is_valid()), values, np.nan)


def ints(array: Any) -> Array:
    """Int64 of an Arrow array of whole numbers or times without nulls."""
    return _plain(pc.cast(array, pa.int64()), np.int64)


def bools(array: Any) -> Array:
    """Truth values of an Arrow array of such; null is false."""
    whole = _plain(pc.cast(array, pa.uint8()), np.uint8).astype(np.bool_)
    return whole & bools(array.is_valid()) if array.null_count else whole


def text(array: Any) -> tuple[Array, Array]:
    """The bytes of an Arrow array of T strings without nulls, and where each begins (T+1,)."""
    kind = np.int64 if pa.types.is_large_string(array.type) else np.int32
    _, ends, data = array.buffers()
    found = np.frombuffer(ends, kind, len(array) + 1, array.offset * np.dtype(kind).itemsize)
    return np.frombuffer(data or b"", np.uint8), found


def whole(values: Array, kind: Any) -> Any:
    """An array of whole numbers for Arrow, of this Arrow type."""
    values = np.ascontiguousarray(values, kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def numbers(values: Floats) -> Any:
    """Float64 for Arrow, of any shape, row by row; NaN becomes null."""
    values = np.ascontiguousarray(values, np.float64).ravel()
    there = np.packbits(~np.isnan(values), bitorder="little")
    buffers = [pa.py_buffer(there), pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.float64(), len(values), buffers)


def moments(values: Array, unit: str) -> Any:
    """Timestamps for Arrow, of datetime64 (T,) in a unit that it has; NaT becomes null."""
    there = np.packbits(~np.isnat(values), bitorder="little")
    buffers = [pa.py_buffer(there), pa.py_buffer(np.ascontiguousarray(values.view(np.int64)))]
    return pa.Array.from_buffers(pa.timestamp(unit), len(values), buffers)


def plain(table: Any) -> Any:
    """A table without views of texts, which most of Arrow's functions do not take."""
    view = pa.string_view()
    for n, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type) and column.type.value_type == view:
            chunks = [
                pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(pa.string()))
                for chunk in table.column(n).chunks
            ]
            table = table.set_column(n, column.name, pa.chunked_array(chunks).cast(pa.string()))
        elif column.type == view:
            table = table.set_column(n, column.name, table.column(n).cast(pa.string()))
    return table


def truths(values: Array) -> Any:
    """Truth values for Arrow, of any shape, row by row."""
    bits = np.packbits(np.ravel(values), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), values.size, [None, pa.py_buffer(bits)])


def strings(texts: Sequence[str]) -> Any:
    """Texts for Arrow."""
    said = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, said)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(said), pa.py_buffer(ends), pa.py_buffer(b"".join(said)))


def _plain(array: Any, kind: type[np.generic]) -> Array:
    """The values of an array that has as many bytes for each; what stands at nulls is undefined."""
    if not len(array):
        return np.zeros(0, kind)
    return np.frombuffer(
        array.buffers()[1], kind, len(array), array.offset * np.dtype(kind).itemsize
    )
