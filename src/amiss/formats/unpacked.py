"""Bodies of requests, unpacked to no more than they may be."""

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
    inflate = zlib.decompressobj(31 if encoding == "gzip" else 15)
    try:
        data = inflate.decompress(body, most + 1)
    except zlib.error:
        raise ValueError(f"is not packed by {encoding}") from None
    if len(data) > most:
        raise OverflowError
    if not inflate.eof:
        raise ValueError(f"packed by {encoding}, and cut off")
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
