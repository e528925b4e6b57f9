#!/usr/bin/env python3
"""make_seeds.py: writes tests/fuzz/seeds, the inputs with which each harness begins; needs NumPy and Pillow.

Images, tables and weights are the smallest file of each variant of tests/conform; the others are written here. The
same seeds are written each time, apart from what the encoder of Pillow changes."""
import gzip
import hashlib
import importlib
import io
import json
import os
import pickle
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


def caches():
    """A pixel cache of two images of 2x2 pixels, and indexes (fuzz_cache.c)."""
    head = b"aniso pack 3\0\0\0\0" + struct.pack("<5q2Q", 2, 2, 2, 699050, 0, 0, 0)
    pixels = bytes([9] * 12 + [200] * 12)
    save("cache", "pack-valid", b"\7" + head + pixels)
    save("cache", "pack-wrong-sum", b"\3" + head + pixels)
    save("cache", "pack-damaged-header", b"\1" + head + pixels)
    save("cache", "pack-cut", b"\7" + head + pixels[:5])
    line = b"$ " + b"0" * 64 + b" p0 @/0.bmp\n"
    save("cache", "index", b"\2" + line)
    save("cache", "index-of-two", b"\2" + line + b"58 1 1 " + b"f" * 64 + b" p-1 @/1.bmp\n" + line)
    save("cache", "index-without-sum", b"\0" + line)
    save("cache", "index-of-other-lines", b"\2x\n\n" + line[:40] + b"\n" + line[:-1])


def lists():
    for number, text in enumerate([b"image,label\na/1.jpg,a\na/2,b\n", b"image\nset/a/1.jpg\nb\\3.png\n",
                                   b'"image";"label"\n"a/1.jpg";"a"\n', b"name,label\nx,y\n"]):
        save("lists", f"csv-{number}", b"\0" + text)
    for number, text in enumerate([b"a/1.jpg a\n a/2.jpg,a\r\n\nb/3.png\tb", b"root/set/a/1.jpg\n", b"\xff\n"]):
        save("lists", f"txt-{number}", b"\1" + text)
    names = ["a/1.jpg", "b/3.png"]
    wide = b"".join(name.encode("utf-32-le").ljust(32, b"\0") for name in names)
    save("lists", "npy-wide", b"\2" + npy("<U8", "(2,)", wide))
    save("lists", "npy-bytes", b"\2" + npy("|S7", "(2,)", b"".join(n.encode() for n in names)))
    pickled = pickle.dumps({"a/1.jpg": 0, "b/3.png": "b", "c": 2.5}, 2), pickle.dumps({"a": 1, "b": -3}, 4)
    for number, data in enumerate(pickled):
        save("lists", f"npy-dictionary-{number}", b"\2" + npy("|O", "()", data))
    array = (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\0cnumpy\nndarray\nq\1K\0\x85q\2C\1bq\3\x87q\4Rq\5"
             b"(K\1K\2\x85q\6cnumpy\ndtype\nq\7X\2\0\0\0O8q\x08\x89\x88\x87q\tRq\n\x89]q\x0b("
             b"X\7\0\0\0a/1.jpgq\x0cX\7\0\0\0b/3.pngq\retq\x0eb.")
    save("lists", "npy-pickled-names", b"\2" + npy("|O", "(2,)", array))


def folders():
    for number, text in enumerate([
            "0\n0a/1.bmp\n1a/2.bmp\n2b/1.bmp\n0b/2.bmp", "1\n0train/a/1.bmp\n0train/b/1.bmp\n2test/a/2.bmp\n1test/b/3.bmp",
            "2\n0x/a/1.bmp\n0y/b/1.bmp\n5x/notes.txt", "3\n0p/a/1.bmp\n0q/b/c/1.bmp\n1q/b/2.jpg", "4\n0a/1.bmp\n0c/1.bmp\n5b/x",
            "5\n0a/1.bmp\n0b/1.bmp\n0A /1.bmp\n0nan/2.bmp", "6\n" + "\n".join(f"{i % 3}{'ab'[i % 2]}/{i}.bmp" for i in range(14)),
            "7\n4a/1.jpg\n3b/2.png\n0a/3.bmp", "0\n01.bmp\n02.bmp", "0\n0set/set/a/1.bmp\n0set/set/b/1.bmp", "0\n0.a/1.bmp\n5a/._x.jpg"]):
        save("listing", f"{number:02d}", text)


def states():
    valid = {"uid": "0" * 26, "config": "a" * 64, "kind": "last", "schema": 8, "stage": 1, "epoch": 2, "step": 40,
             "best": {"epoch": 1, "value": 0.5}, "t": {"net": 40}, "ema_t": {"net": 40}}
    save("checkpoint", "valid", json.dumps(valid))
    save("checkpoint", "unwritten", json.dumps(valid | {"unwritten": {"metrics": [{"part": "train", "step": 1, "name": "loss",
         "kind": "finite", "value": 0.5}], "lines": [], "checkpoints": []}}))
    for name in valid:
        save("checkpoint", "without-" + name, json.dumps({key: value for key, value in valid.items() if key != name}))
    save("checkpoint", "no-table", "5")
    text = json.dumps(valid)
    head = {"__metadata__": {"aniso.checkpoint": "1", "aniso.state": text, "aniso.sha256": hashlib.sha256(b"").hexdigest(),
                             "aniso.state_sha256": hashlib.sha256(text.encode()).hexdigest()}}
    data = json.dumps(head).encode()
    save("checkpoint", "whole-file", b"!" + struct.pack("<Q", len(data)) + data)


def models():
    valid = {"aniso_model": 1, "version": "1", "classes": ["a", "b"], "counts": [3, 2], "groups": ["many", "few"],
             "input": {"height": 4, "width": 4, "channels": 3, "aspect": "stretch", "mean": [0, 0, 0], "std": [1, 1, 1]},
             "config": {"backbone": {"1": "resnet", "depth": 8, "width": 4}, "prior": {"crops": 2},
                        "schedule": {"1": "cosine", "T": 10, "lambda": {"1": "manual", "values": [1, 2], "normalise": "none"}},
                        "denoiser": {"1": "cross_attention", "dim": 8, "blocks": 1, "heads": 2},
                        "sampler": {"1": "ddim", "steps": 2, "draws": 1}}, "provenance": {"uid": "0" * 26}}
    save("model", "valid", json.dumps(valid))
    plain = valid["config"] | {"denoiser": {"1": "none"}, "prior": {"mode": "global"}, "post_hoc": {"1": "logit_adjustment"}}
    save("model", "plain", json.dumps(valid | {"config": plain}))
    for name in valid:
        save("model", "without-" + name, json.dumps({key: value for key, value in valid.items() if key != name}))


def databases():
    """Each version with each command; a third of them with a change (fuzz_database.lua)."""
    for number in range(30):
        change = bytes([number * 37 % 256, number * 11 % 256, number % 3, 0x31 + number]) * (number % 3 == 0)
        save("database", f"{number:02d}", bytes([number % 10, number * 5 % 16]) + change)


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


KEYS = [
    b"hello\r", b"aniso.sch\t\t\rruns[1].\t\r", b"one\rtwo\r\x1b[A\x1b[A\x1b[Bx\r", b"a b c\x01\x0b\x19\x19\x1b\x7f\x17\r",
    b"x\x12he\x12\r\x07", b"\x16\x03\x16\r\x1b3z\r", b"\xc3\xa9\xe2\x82\xac\xff\xc3(\x02\x7f\x04\r", b"\x1bxbind\r", b"\x04\x04",
    b"for i = 1, 2 do\rprint(i)\rend\r", b"ab\x1b[D\x1b[D\x1b[3~\x1b[H\x1b[F\x14\r", b"\x1bxhistory\rq\x1b1\x1b2a\r",
]


def keys():
    for number, data in enumerate(KEYS):
        save("editor", f"{number:02d}", data)


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
    for write in archives, caches, lists, folders, states, models, databases, keys, texts:
        write()


if __name__ == "__main__":
    main()
