#!/usr/bin/env python3
"""make_seeds.py: writes tests/fuzz/seeds, the inputs with which each harness begins; needs NumPy and Pillow.

Images, tables and weights are the smallest file of each variant of tests/conform; the others are written here. The
same seeds are written each time, apart from what the encoder of Pillow changes."""
import gzip
import importlib
import io
import json
import os
import shutil
import struct
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conform"))
from cases import Corpus  # noqa: E402  pylint: disable=wrong-import-position

LARGEST = 1500  # bytes of a seed from tests/conform


def save(harness, name, data):
    folder = os.path.join(HERE, "seeds", harness)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def from_conform(module, suffix, harness, wrap=lambda data: data):
    """One file of each family, the smallest."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(suffix, folder, 1)
        importlib.import_module(module).make(corpus)
    smallest = {}
    for case in corpus.cases:
        known = smallest.get(case.family)
        if len(case.data) <= LARGEST and (known is None or len(case.data) < len(known)):
            smallest[case.family] = case.data
    for family, data in smallest.items():
        save(harness, "".join(c if c.isalnum() else "-" for c in family)[:60] + suffix.replace(".", "-"), wrap(data))


def npy(descr, shape, data, order="False"):
    head = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}".encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data


def npz(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy", (2000, 1, 1, 0, 0, 0)), data, method)
    return file.getvalue()


def archives():
    grey, rgb = bytes(range(24)), bytes(range(72))
    parts = ("train", 4), ("val", 1), ("test", 1)
    members = {}
    for part, n in parts:
        members[part + "_images"] = npy("|u1", (n, 2, 3), grey[:6 * n])
        members[part + "_labels"] = npy("|u1", (n, 1), bytes(i % 2 for i in range(n)))
    save("npz", "medmnist-grey", npz(members))
    save("npz", "medmnist-stored", npz(members, zipfile.ZIP_STORED))
    members["train_images"] = npy("|u1", (4, 2, 3, 3), rgb)
    members["train_labels"] = npy("<i8", (4, 1), struct.pack("<4q", 0, 1, 0, 1))
    members["val_labels"] = npy("<f4", (1,), struct.pack("<f", 1))
    save("npz", "rgb-and-wide-labels", npz(members))
    save("npz", "fortran-order", npz({"images": npy("|u1", (4, 2, 3), grey, "True"),
                                      "labels": npy("|u1", (4,), b"\0\1\0\1")}))
    images = b"\0\0\10\3" + struct.pack(">3I", 2, 2, 1) + b"abcd"
    labels = b"\0\0\10\1" + struct.pack(">I", 2) + b"\0\1"
    files = [labels, images, labels, gzip.compress(images, mtime=0), bytes([1]) + bytes(3072), b"a\nb\n" * 5]
    for which, data in enumerate(files):
        save("stacks", f"file-{which}", bytes([which]) + data)


JSON = [
    "null", "[]", "{}", '{"a":[1,-2.5,1e999,-1e999,true,false,null,"x\\u00e9\\n\\ud83d\\ude00"]}', "9007199254740993",
    '{"1":1,"2":2,"01":3}', "[" * 40 + "]" * 40, ' {"k" : 1e-320 } ', '{"a":1,"a":2}', "-0", '"\\u0000"', "[1,]", "{",
]
LITERALS = [
    "train.epochs=3", "schedule.lambda={power, gamma=-0.5}", 'a="x\\n\\"y"', "vary.x={0, 0.5; [\"k\"]={1,2}}",
    "data={folder, root=a b/c}", "x=nil\ny=true\nz=-0x10\nw=1e400", "backbone=resnet\nbackbone.depth=8", "{{{{}}}}",
    "a={1,\na.b.c=2", "=", "a[1]=2\na.1=3", "'it''s'", "{[1.5]=2,[true]=1}",
]
CONFIGS = [
    "train.epochs=3\ntrain.batch=7", "method=softmax", "denoiser=none\nprior.mode=global\npost_hoc={tau_norm}",
    "schedule={cosine, T=20}\nschedule.lambda={power, gamma=0.5}", "backbone={resnet, depth=8, width=4}",
    "select.calibrate=true", "sampler={ddim, steps=2, draws=2}", "data={lesions, n=140, size=16}",
    "loss.class_weight=effective", "train.mode=joint\ntrain.mixup=0.2", "schedule.lambda=learned", "train.augment.flip=true",
    '{"train":{"epochs":2},"schedule":{"1":"cosine","T":20}}', '{"train":5}', "select.metric=tail",
]
ANNOTATIONS = [
    "---@meta\n---A class.\n---@class x.A : x.B, x.C\n---@field a number|string  text\n---@field [1]? x.kind  first\n"
    "local A = {}\n---Does it.\n---@param n integer|nil  count\n---@return string? s  text\nfunction A:f(n) end\n"
    "---@alias x.kind\n---| '\"one\"'  the first\n---| x.A\n---@overload fun(a: table<string, number>): x.A\n"
    "---@operator call(string): x.A\n---@type x.A\nglobal = {}\nfunction plain(a, b) end\n",
    "---@class a : a\n---@field x a\n", "---@alias a a|b\n---@alias b a\n---@class c\n---@field x a\n",
    '---@field ["x y"] number\n', "---@alias x fun(a: (number|string)[]): {b: c}  text\n",
]
PROMPTS = [
    "ani", "aniso.", "aniso.sch", "aniso.schedule{ lam", "aniso.study{ base = { train = { ep", "runs[1].la", "runs[1]:",
    "s:", "t.", "t:", "x = 'a", "-- aniso.", "aniso['sch", "trap().", "aniso.data{\"folder\", ", "(t", "string.", "_G.",
    "for k in", "aniso.pretty(runs[1].", "aniso.trainer{ select = { calibrate = { ",
]


def texts():
    for harness, list_of in (("json", JSON), ("literal", LITERALS), ("config", CONFIGS), ("annotations", ANNOTATIONS),
                             ("prompt", PROMPTS)):
        for number, text in enumerate(list_of):
            save(harness, f"{number:02d}", text)


def bare(data):
    """The form in which fuzz_safetensors.c takes a file: without the length, a zero byte before the data."""
    if len(data) < 8:
        return b"!" + data
    length = struct.unpack("<Q", data[:8])[0]
    head = data[8:8 + length]
    return head + b"\0" + data[8 + length:] if length == len(head) and b"\0" not in head else b"!" + data


def main():
    shutil.rmtree(os.path.join(HERE, "seeds"), ignore_errors=True)
    from_conform("jpeg_damage", ".jpg", "image")
    from_conform("png_damage", ".png", "image")
    from_conform("bmp", ".bmp", "image")
    from_conform("tables", ".csv", "csv")
    from_conform("tensors", ".safetensors", "safetensors", bare)
    archives()
    texts()


if __name__ == "__main__":
    main()
