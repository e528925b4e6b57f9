"""conform.py ANISO READ_IMAGES [FORMAT…]: generates files of every variant of JPEG, PNG, BMP, CSV and safetensors,
and compares what aniso reads with independent decoders. tests/conform/run starts it.

Exit code 0: no file is read in silence with other content, and each refusal is one that the generator expects;
1: otherwise."""
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import PIL
from PIL import features

import decoders
import judge
from cases import Corpus

# Format → module with make(corpus) and REFUSALS, reader of aniso, independent decoder.
FORMATS = {
    "JPEG": ("jpeg_damage", ".jpg", "image", decoders.image),
    "PNG": ("png_damage", ".png", "image", decoders.image),
    "BMP": ("bmp", ".bmp", "image", decoders.image),
    "CSV": ("tables", ".csv", "table", decoders.table),
    "labels": ("labels", ".labels.csv", "labels", None),
    "safetensors": ("tensors", ".safetensors", "tensors", decoders.tensors),
}


class Stream:
    """Reads lines and counts of bytes from the output of a reader."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def until(self, mark):
        end = self.data.index(mark, self.at)
        out, self.at = self.data[self.at:end], end + 1
        return out

    def take(self, count):
        out, self.at = self.data[self.at:self.at + count], self.at + count
        return out

    def texts(self, count):
        return [self.take(int(self.until(b":"))) for _ in range(count)]


def parse_image(stream, head):
    height, width = int(head[0]), int(head[1])
    return np.frombuffer(stream.take(height * width * 3), np.uint8).reshape(height, width, 3)


def parse_table(stream, head):
    texts = [t.decode() for t in stream.texts(int(head[0]))]
    columns = int(texts[1])
    return [texts[i:i + columns] for i in range(2, len(texts), columns)]


def parse_labels(stream, head):
    return [t.decode() for t in stream.texts(int(head[0]))]


def parse_tensors(stream, head):
    texts, out = stream.texts(int(head[0])), {}
    for name, shape, kind, data in zip(*[iter(texts)] * 4):
        out[name.decode()] = np.frombuffer(data, kind.decode().replace("<f", "<f4")).reshape(
            [int(d) for d in shape.split()])
    return out


PARSE = {"image": parse_image, "table": parse_table, "labels": parse_labels, "tensors": parse_tensors}


def read_by_aniso(cases, reader, aniso, read_images):
    """Per case the content, or the message of the refusal; one process reads all."""
    command = [read_images] if reader == "image" else [aniso, "exec", "tests/conform/read_files.lua"]
    paths = "".join(case.path + "\n" for case in cases).encode()
    run = subprocess.run(command, input=paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    stream, out = Stream(run.stdout), []
    for case in cases:
        if stream.at >= len(run.stdout):
            sys.stderr.write(run.stderr.decode(errors="replace"))
            sys.exit(f"conform: {command[0]} ended with {run.returncode} at {case.path}")
        word, *head = stream.until(b"\n").decode(errors="replace").split(" ")
        if word == "ok":
            out.append(PARSE[reader](stream, head))
        else:
            out.append(" ".join(head).replace(case.path + ": ", "").replace(case.path, "FILE"))
    return out


def read_by_other(case, decoder):
    """The content, or the exception; warnings of damaged metadata are expected."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return decoder(case.path)
    except Exception as why:  # pylint: disable=broad-except
        return why


def run_format(kind, folder, programs, table):
    name, suffix, reader, decoder = FORMATS[kind]
    module = importlib.import_module(name)
    os.mkdir(folder)
    corpus = Corpus(suffix, folder, 1)
    module.make(corpus)
    for case, ours in zip(corpus.cases, read_by_aniso(corpus.cases, reader, *programs)):
        other = read_by_other(case, decoder) if decoder else case.truth
        if other is None:
            other = ValueError("no independent decoder")
        table.count(kind, case, judge.judge(case, ours, other, module.REFUSALS))


def report(table, seconds):
    """Prints the table, the faults and the last line; returns the exit code."""
    table.print()
    table.print_silent()
    table.print_faults()
    files, differ, unexpected = table.total(*judge.COLUMNS), table.total("differ"), table.total("unexpected")
    print(f"{seconds:.0f} s; Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, NumPy "
          f"{np.__version__}, Python {sys.version.split()[0]}, safetensors {decoders.safetensors_version()}")
    print(f"{files} files: {table.total('equal', 'only the other refuses')} equal, "
          f"{table.total('both refuse', 'only aniso refuses')} refused, {unexpected} refused unexpectedly, "
          f"{differ} differ in silence")
    return 1 if differ or unexpected else 0


def main(arguments):
    programs, chosen = arguments[:2], arguments[2:] or list(FORMATS)
    for kind in chosen:
        if kind not in FORMATS:
            sys.exit(f"conform: no format '{kind}'; known: {', '.join(FORMATS)}")
    kept = os.environ.get("CONFORM_DIR")
    folder = kept or tempfile.mkdtemp(prefix="conform-")
    if kept and os.path.exists(kept):
        sys.exit(f"conform: {kept} exists; CONFORM_DIR names a new folder")
    if kept:
        os.mkdir(kept)
    judge.check_itself()
    table, begin = judge.Table(), time.time()
    try:
        for kind in chosen:
            run_format(kind, os.path.join(folder, kind), programs, table)
    finally:
        if not kept:
            shutil.rmtree(folder)
    return report(table, time.time() - begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
