"""Bodies of requests, unpacked to no more than they may be."""

import gzip
import io
import zlib

LARGEST = 128 * 2**20  # bytes
ENCODINGS = ("", "identity", "gzip", "deflate", "snappy")


def unpacked(body: bytes, encoding: str, most: int = LARGEST) -> bytes:
    """Raises ValueError if it cannot be unpacked, OverflowError if it were longer than `most`."""
    if encoding in ("", "identity"):
        return body
    if encoding == "snappy":
        return _snappy(body, most)
    if encoding not in ENCODINGS:
        raise ValueError(f"encoding {encoding} is not known; {', '.join(ENCODINGS[1:])} are")
    try:
        data = _gunzipped(body, most) if encoding == "gzip" else _inflated(body, most)
    except EOFError:
        raise ValueError(f"packed by {encoding}, and cut off") from None
    except (gzip.BadGzipFile, zlib.error):
        raise ValueError(f"is not packed by {encoding}") from None
    if len(data) > most:
        raise OverflowError
    return data


def _gunzipped(body: bytes, most: int) -> bytes:
    """All members, one after the other; one byte too many tells that there is more."""
    if not body:
        raise EOFError
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        return file.read(most + 1)


def _inflated(body: bytes, most: int) -> bytes:
    inflate = zlib.decompressobj()
    data = inflate.decompress(body, most + 1)
    if len(data) <= most and not inflate.eof:
        raise EOFError
    return data


def _snappy(body: bytes, most: int) -> bytes:
    """A block, as Prometheus and Loki send it; how long it is stands at its beginning."""
    import cramjam

    try:
        if cramjam.snappy.decompress_raw_len(body) > most:
            raise OverflowError
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise ValueError("is no block of Snappy") from None
