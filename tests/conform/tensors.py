"""safetensors: every type, shape and layout of the header, and files that the format forbids."""
import json
import struct

import numpy as np

from decoders import DTYPES, own_tensors

REFUSALS = {
    "type": r"tensor .* has type \w+; floats and I64 can be read",
    "unknown type": r"tensor .* has an unknown type",
    "nests": r"nests more than \d+ levels",
    "short": r"is not a safetensors file \(too short\)",
    "start": r"is not a safetensors file, or its start is damaged",
    "JSON": r"is not JSON|has extra text after its JSON value",
    "header": r"its header is not a table of tensors",
    "metadata": r"metadata .* is not text|its metadata is not a table",
    "shape": r"tensor .* has (no|an impossible) shape",
    "dimensions": r"tensor .* has more than 6 dimensions",
    "outside": r"tensor .* is outside the file",
    "size": r"the size of tensor .* does not fit its shape",
    "hole": r"tensor .* leaves a hole or overlaps",
    "left": r"\d+ bytes belong to no tensor",
    "twice": r"two tensors are named|'\w+' is there twice",
    "zero": r"a name has a zero character",
    "UTF-8": r"is not UTF-8",
}
READ = ("F32", "F64", "F16", "BF16", "I64")


def pack(header, data=b"", pad=0):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * pad
    return struct.pack("<Q", len(text)) + text + data


def random_array(corpus, dtype, shape):
    """Any bits, so that NaN, infinities and subnormals occur; the format's booleans are 0 and 1."""
    kind = np.dtype(DTYPES[dtype])
    count = int(np.prod(shape, dtype=int))
    raw = corpus.bytes(count * kind.itemsize)
    return np.frombuffer(bytes(b & 1 for b in raw) if dtype == "BOOL" else raw, kind).reshape(shape)


def file_of(arrays, order=None, meta=None, **more):
    """arrays: {name: (type, array)}; order: the names in the order of their bytes, which may differ from the
    header's."""
    header, data = {} if meta is None else {"__metadata__": meta}, b""
    offsets = {}
    for name in order or arrays:
        body = arrays[name][1].tobytes()
        offsets[name] = [len(data), len(data) + len(body)]
        data += body
    for name, (dtype, array) in arrays.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets[name]}
    return pack(header, data, **more)


def as_read(data):
    """The tensors as aniso holds them: int64, or rounded to float32."""
    with np.errstate(all="ignore"):
        return {name: a if a.dtype == np.int64 else a.astype(np.float32) for name, a in own_tensors(data).items()}


SHAPES = [(), (1,), (0,), (3,), (2, 3), (0, 7), (2, 0, 3), (1, 2, 3, 4), (2, 1, 2, 1, 2), (1, 2, 1, 2, 1, 2)]


def add_types(corpus):
    for dtype in DTYPES:
        for shape in SHAPES:
            data = file_of({"x": (dtype, random_array(corpus, dtype, shape))})
            if dtype in READ:
                corpus.add(f"{dtype}, every shape", data, as_read(data), quirk="aniso holds float32")
            else:
                corpus.add(f"{dtype}", data, refusals="type")
    special = np.array([np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-40, 65504, 3.4e38])
    for dtype in ("F64", "F32", "F16"):
        with np.errstate(all="ignore"):
            data = file_of({"x": (dtype, special.astype(DTYPES[dtype]))})
        corpus.add("NaN, infinities, subnormals", data, as_read(data), quirk="aniso holds float32")


NAMES = ["w", "layer.0.weight", "a \"quoted\" name", "tab\tnew\nline", "nævus", "日本", "\U0001F600", "", " ", "\\", "/",
         "x" * 1000, "__metadata", "é" * 50]


def add_layouts(corpus):
    for _ in range(60):
        names = [NAMES[i] for i in corpus.rng.permutation(len(NAMES))[:corpus.integer(1, 8)]]
        arrays = {}
        for name in names:
            dtype = READ[corpus.integer(0, len(READ) - 1)]
            arrays[name] = (dtype, random_array(corpus, dtype, SHAPES[corpus.integer(0, len(SHAPES) - 1)]))
        order = [names[i] for i in corpus.rng.permutation(len(names))]
        meta = [None, {}, {"format": "pt"}, {"é": "日本", "": ""}, {"k": "x" * 5000}][corpus.integer(0, 4)]
        data = file_of(arrays, order, meta, pad=corpus.integer(0, 9))
        corpus.add("names, order, metadata, padding", data, as_read(data), quirk="aniso holds float32")
    ones = np.ones(3, "<f4").tobytes()
    entry = '"dtype":"F32","shape":[3],"data_offsets":[0,12]'
    for text in ('{"\\u0061\\u00e9":{%s}}', '{"\\ud83d\\ude00":{%s}}', '{\n"x" : {%s}\t}\r\n',
                 '{"x":{"other":[1,{}],%s}}',
                 '{"x":{%s},"__metadata__":{}}'):
        data = pack((text % entry).encode(), ones)
        corpus.add("header in other spellings", data, as_read(data))
    for text in (' {"x":{%s}}', '\ufeff{"x":{%s}}'):
        data = pack((text % entry).encode(), ones)
        corpus.add("header that begins with another byte than {", data, refusals="header")
    for name in ("a\\u0000b", "\\u0000", "\\\\\\u0000"):
        corpus.add("zero character in a name", pack(('{"%s":{%s}}' % (name, entry)).encode(), ones), refusals="zero")
    data = pack(('{"\\\\u0000":{%s}}' % entry).encode(), ones)
    corpus.add("header in other spellings", data, as_read(data))
    for wrong in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x80"):
        data = pack(b'{"x' + wrong + b'":{' + entry.encode() + b"}}", ones)
        corpus.add("header that is not UTF-8", data, refusals="UTF-8")
    for text in ('{"x":{"shape":[1,3],%s}}', '{"x":{"dtype":"F16",%s}}', '{"x":{%s,"data_offsets":[0,12]}}',
                 '{"__metadata__":{},"x":{%s},"__metadata__":{}}'):
        corpus.add("a key twice", pack((text % entry).encode(), ones), refusals="twice")
    for header in ({}, {"__metadata__": {"a": "b"}}):
        corpus.add("no tensors", pack(header), {})


def add_offsets(corpus):
    zeros = bytes(24)

    def entry(begin, end, shape=(3,), dtype="F32"):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    cases = [
        ("overlap, hole", {"a": entry(0, 12), "b": entry(0, 12)}, ("hole", "left")),
        ("overlap, hole", {"a": entry(0, 12), "b": entry(8, 20)}, "hole"),
        ("overlap, hole", {"a": entry(0, 8, (2,)), "b": entry(12, 24)}, "hole"),
        ("overlap, hole", {"a": entry(12, 24)}, "hole"),
        ("bytes of no tensor", {"a": entry(0, 12)}, "left"), ("bytes of no tensor", {}, "left"),
        ("offsets outside the file", {"a": entry(0, 36, (9,))}, "outside"),
        ("offsets outside the file", {"a": entry(24, 12)}, "outside"),
        ("offsets outside the file", {"a": entry(-12, 0)}, "outside"),
        ("offsets outside the file", {"a": entry(0, 2 ** 64 - 1)}, "outside"),
        ("offsets outside the file", {"a": entry(0.5, 12.5)}, "outside"),
        ("offsets outside the file", {"a": dict(entry(0, 24), data_offsets=[0])}, "outside"),
        ("offsets outside the file", {"a": dict(entry(0, 24), data_offsets="0,24")}, "outside"),
        ("size and shape differ", {"a": entry(0, 24, (5,))}, "size"),
        ("size and shape differ", {"a": entry(0, 24, ())}, "size"),
        ("impossible shapes", {"a": entry(0, 24, (-3, -2))}, "shape"),
        ("impossible shapes", {"a": entry(0, 24, (2 ** 62, 16))}, "shape"),
        ("impossible shapes", {"a": entry(0, 24, (1.5, 4))}, "shape"),
        ("impossible shapes", {"a": entry(0, 24, ("6",))}, "shape"),
        ("impossible shapes", {"a": dict(entry(0, 24), shape=6)}, "shape"),
        ("more than 6 dimensions", {"a": entry(0, 24, (1, 1, 1, 1, 1, 1, 6))}, "dimensions"),
        ("unknown type", {"a": entry(0, 24, (6,), "F128")}, "unknown type"),
        ("unknown type", {"a": entry(0, 24, (6,), 4)}, "unknown type"),
        ("unknown type", {"a": entry(0, 24, (24,), "F8_E4M3")}, ("unknown type", "type")),
        ("entry of another type", {"a": 3}, "unknown type"), ("entry of another type", {"a": None}, "unknown type"),
        ("metadata of another type", {"__metadata__": {"a": 1}, "x": entry(0, 24, (6,))}, "metadata"),
        ("metadata of another type", {"__metadata__": [1], "x": entry(0, 24, (6,))}, "metadata"),
    ]
    for family, header, refusals in cases:
        corpus.add(family, pack(header, zeros), refusals=refusals)


def add_damage(corpus):
    whole = file_of({"a": ("F32", random_array(corpus, "F32", (4,))), "b": ("I64", random_array(corpus, "I64", (2,)))})
    length, = struct.unpack("<Q", whole[:8])
    for cut in range(len(whole)):
        corpus.add("truncated at every byte", whole[:cut],
                   refusals=("short",) if cut < 8 else ("start",) if cut < 8 + length else ("outside",))
    for wrong in (0, 1, length - 1, length + 1, len(whole), 100_000_001, 2 ** 63, 2 ** 64 - 1):
        corpus.add("wrong length of the header", struct.pack("<Q", wrong) + whole[8:],
                   refusals=("start", "JSON", "outside", "left"))
    twice = '{"a":{%s},"a":{%s}}' % (('"dtype":"F32","shape":[3],"data_offsets":[0,12]',) * 2)
    corpus.add("a name twice", pack(twice.encode(), bytes(12)), refusals=("twice", "hole"))
    for text in (b"", b"[]", b"3", b"null", b'"x"', b"{", b"{}x", b"{'a':1}", b"[" * 100000, b'{"a":' * 5000,
                 b"\xef\xbb\xbf{}",
                 b"{}\0", b'{"a\xff":1}', b"NaN"):
        corpus.add("header that is no table", pack(text),
                   refusals=("JSON", "header", "unknown type", "UTF-8", "nests"))


def make(corpus):
    for add in (add_types, add_layouts, add_offsets, add_damage):
        add(corpus)
