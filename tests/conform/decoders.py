"""The independent decoders: what a file holds by Pillow, NumPy, Python's csv module or safetensors. Each
returns the content, or raises an exception whose text is the decoder's reason for its refusal."""
import csv
import io
import json
import struct

import numpy as np
from PIL import Image, ImageOps

try:
    import safetensors
    import safetensors.numpy as safetensors_numpy
except ImportError:
    safetensors = safetensors_numpy = None


def safetensors_version():
    return safetensors.__version__ if safetensors else "is not installed (own reader)"


# Types that NumPy has. BF16 is the upper half of a float32.
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
          "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}


def image(path):
    """(height, width, 3) uint8, turned upright."""
    with Image.open(path) as opened:
        opened.load()
        return np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))


def table(path):
    """Rows of texts, the header first. The delimiter is the most frequent candidate in the first line; a
    byte-order mark is dropped, and so are lines without a cell."""
    with open(path, "rb") as file:
        text = file.read().decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("zero bytes")
    first = text.split("\n")[0].split("\r")[0]
    delimiter = max(",;\t", key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    if not rows:
        raise ValueError("no header")
    if any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("rows of different lengths")
    return rows


def once(pairs):
    """A JSON object as a dictionary; raises ValueError for a name that occurs twice."""
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a name occurs twice")
    return out


def check_entry(entry, data_bytes):
    """The bounds of one tensor after the checks of the format's reader."""
    begin, end = entry["data_offsets"]
    count = int(np.prod([int(d) for d in entry["shape"]], dtype=object))
    if not 0 <= begin <= end <= data_bytes or (end - begin) != count * np.dtype(DTYPES[entry["dtype"]]).itemsize:
        raise ValueError("offsets do not fit")
    return begin, end


def own_tensors(data):
    """The format as its description has it: 8 bytes of length, a JSON header, bytes without holes."""
    length, = struct.unpack("<Q", data[:8])
    if length > 100_000_000 or length > len(data) - 8:
        raise ValueError("header longer than the file")
    header = json.loads(data[8:8 + length].decode(), object_pairs_hook=once)
    meta = header.pop("__metadata__", None)
    if meta is not None and not all(isinstance(v, str) for v in meta.values()):
        raise ValueError("metadata of another type than text")
    content, bounds = data[8 + length:], []
    out = {}
    for name, entry in header.items():
        begin, end = check_entry(entry, len(content))
        bounds.append((begin, end))
        out[name] = np.frombuffer(content[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        if entry["dtype"] == "BF16":
            out[name] = (out[name].astype(np.uint32) << 16).view(np.float32)
    used = 0
    for begin, end in sorted(bounds):
        if begin != used:
            raise ValueError("a hole or an overlap")
        used = end
    if used != len(content):
        raise ValueError("bytes of no tensor")
    return out


def tensors(path):
    """{name: array}; by the safetensors package where it is installed, which has no BF16 in NumPy."""
    with open(path, "rb") as file:
        data = file.read()
    if safetensors_numpy is None or b"BF16" in data:
        return own_tensors(data)
    return safetensors_numpy.load(data)
