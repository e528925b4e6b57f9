"""The cases of a conformance run: a file, what it must be read as, or why it must be refused."""
import dataclasses
import io
import os
import struct

import numpy as np


@dataclasses.dataclass
class Case:
    """One generated file.

    truth     what the file holds, as its format defines it; None: what the independent decoder reads
    refusals  names in the REFUSALS of its format, one of which aniso must give; (): it must be read
    silent    the format has no means to show this damage: reading it as the decoder does is accepted as well
    original  the pixels before such damage, for the share that is read with wrong ones
    quirk     why the independent decoder reads something other than the truth; "": it must agree
    apart     by how many levels the decoder may differ from the truth
    """
    family: str
    data: bytes
    suffix: str
    truth: object = None
    refusals: tuple = ()
    silent: bool = False
    original: object = None
    quirk: str = ""
    apart: int = 0
    path: str = ""


class Corpus:
    """Collects the cases of one format; `rng` is seeded by the format's name, so that one format's files do
    not depend on the others."""

    def __init__(self, suffix, folder, seed):
        self.suffix, self.folder, self.cases = suffix, folder, []
        self.rng = np.random.default_rng([seed, *suffix.encode()])

    def add(self, family, data, truth=None, refusals=(), **more):
        if isinstance(refusals, str):
            refusals = (refusals,)
        case = Case(family, bytes(data), self.suffix, truth, refusals, **more)
        case.path = os.path.join(self.folder, f"{len(self.cases):05d}{self.suffix}")
        with open(case.path, "wb") as file:
            file.write(case.data)
        self.cases.append(case)
        return case

    def integer(self, low, high):
        """A uniform integer, low and high included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability):
        return self.rng.random() < probability

    def bytes(self, count):
        return self.rng.integers(0, 256, count, dtype=np.uint8).tobytes()

    def size(self, most=40):
        return self.integer(1, most), self.integer(1, most)


def picture(corpus, height, width):
    """Gradients and a wave, with noise in half of the pictures: (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    out = np.zeros((height, width, 3), np.uint8)
    out[..., 0], out[..., 1] = x * 5 & 255, y * 7 & 255
    out[..., 2] = 128 + 60 * np.sin(x / 9.0 + y / 5.0)
    if corpus.chance(0.5):
        out[..., 0] ^= corpus.rng.integers(0, 63, (height, width), dtype=np.uint8)
    return out


def encode(image, kind, **options):
    """The bytes that Pillow writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


UPRIGHT = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1), 8: lambda a: a.swapaxes(0, 1)[::-1],
}


def exif(orientation, little, others=0, kind=3):
    """A TIFF block whose IFD 0 has `others` texts and the orientation, of type SHORT (3), BYTE or LONG."""
    order = "<" if little else ">"
    value = {1: struct.pack("Bxxx", orientation & 255), 3: struct.pack(order + "HH", orientation, 0),
             4: struct.pack(order + "I", orientation)}[kind]
    entries = [struct.pack(order + "HHI", 0x10F, 2, 4) + b"abc\0"] * others
    entries.append(struct.pack(order + "HHI", 0x112, kind, 1) + value)
    start = (b"II*\0" if little else b"MM\0*") + struct.pack(order + "I", 8)
    return start + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)


def xmp(orientation, as_element=False):
    """An XMP packet with tiff:Orientation as an attribute or as an element."""
    attribute = "" if as_element else f' tiff:Orientation="{orientation}"'
    element = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if as_element else ""
    return (f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax'
            f'-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{element}'
            f'</rdf:Description></rdf:RDF></x:xmpmeta>').encode()


def damaged_exif(corpus):
    """Blocks that are malformed in one way each, and the orientation that can still be read: the upright one, but
    where only the number of entries is wrong. With none of them may an image be refused."""
    whole = exif(6, True)
    blocks = [b"", whole[:4], whole[:10], whole[:15], b"XX" + whole[2:], whole[:2] + b"\x2b\0" + whole[4:],
            whole[:4] + struct.pack("<I", 0xFFFFFFF0) + whole[8:], whole[:4] + struct.pack("<I", 3) + whole[8:],
            exif(0, True), exif(9, False), corpus.bytes(60)]
    return [(block, 1) for block in blocks] + [(whole[:8] + b"\xff\xff" + whole[10:], 6)]
