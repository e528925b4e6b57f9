"""recorder: one golden file = tensors plus the table of cases, in the safetensors format.

The Lua test iterates over the table of cases (JSON in the file's metadata), so a case is
written once. Inputs are float32; everything else is computed in float64 by PyTorch
and rounded once, so that the test measures the engine's error.
"""
import json
import struct
import zlib

import torch

KINDS = {torch.float32: "F32", torch.int64: "I64", torch.float16: "F16", torch.bfloat16: "BF16"}


def write_safetensors(path, tensors, metadata):
    """8 bytes of header length, a JSON header, then the data in the header's order."""
    header, parts, position = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": KINDS[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [position, position + len(data)]}
        parts.append(data)
        position += len(data)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_safetensors(path):
    """→ {name: tensor}, the metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = bytearray(file.read())
    metadata, types, tensors = header.pop("__metadata__"), {v: k for k, v in KINDS.items()}, {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = torch.frombuffer(body[first:last], dtype=types[entry["dtype"]]).reshape(
            entry["shape"])
    return tensors, metadata


class Draw:
    """Random float32 tensors that depend only on the case's name, not on the order of cases."""

    def __init__(self, name):
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def normal(self, *shape, scale=1.0, shift=0.0):
        return torch.randn(shape, generator=self.generator) * scale + shift

    def uniform(self, *shape, low=0.0, high=1.0):
        return torch.rand(shape, generator=self.generator) * (high - low) + low

    def labels(self, n, classes):
        return torch.randint(classes, (n,), generator=self.generator)

    def permutation(self, n):
        return torch.randperm(n, generator=self.generator)


def double_leaf(tensor, with_gradient=True):
    """A float64 copy that collects a gradient; labels are returned unchanged."""
    if tensor.dtype != torch.float32:
        return tensor
    return tensor.double().requires_grad_(with_gradient)


def single(tensor):
    return tensor.detach().float() if tensor.dtype == torch.float64 else tensor.detach()


class Golden:
    """Collects the cases of one file."""

    def __init__(self, path):
        self.path, self.tensors, self.cases = path, {}, []

    def put(self, name, tensor):
        assert name not in self.tensors, name
        self.tensors[name] = single(tensor).clone()

    def add(self, name, **fields):
        """A case with other fields; the caller put()s its tensors."""
        self.cases.append({"name": name, **fields})

    def op(self, name, op, tensors, args, reference, fixed=(), after=()):
        """An operation. args are the arguments in Lua: "@x" is tensors["x"], "nil" is
        nil; reference takes the dictionary of float64 tensors and returns the output.
        Stores the inputs, out, an upstream gradient dout, and d<input> for each
        float input except those in `fixed`; `after` names inputs that are changed in place."""
        leaves = {k: double_leaf(v, k not in fixed) for k, v in tensors.items()}
        for key, tensor in tensors.items():
            self.put(f"{name}/{key}", tensor)
        out = reference(leaves)
        self.put(f"{name}/out", out)
        for key in after:
            self.put(f"{name}/after/{key}", leaves[key])
        grads = [k for k, v in leaves.items() if v.requires_grad]
        if grads:
            dout = Draw(name + "/dout").normal(*out.shape)
            self.put(f"{name}/dout", dout)
            out.backward(dout.double())
        for key in grads:
            self.put(f"{name}/d{key}", leaves[key].grad)
        self.cases.append({"name": name, "op": op, "tensors": list(tensors), "args": args,
                           "grads": grads, "after": list(after)})

    def write(self):
        write_safetensors(self.path, self.tensors, {
            "cases": json.dumps(self.cases, separators=(",", ":")),
            "reference": f"PyTorch {torch.__version__}, float64"})
        return len(self.cases)
