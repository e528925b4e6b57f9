"""PNG: every type, depth, filter, interlacing and chunk layout that the format allows, and damage."""
import struct
import zlib

import numpy as np

from cases import UPRIGHT, damaged_exif, exif, xmp
from png_writer import CHANNELS, DEPTHS, assemble, chunk, chunks, colours, deflate, header, scanlines, split


REFUSALS = {
    "checksum": r"damaged PNG \(.*CRC error\)",
    "truncated": r"truncated PNG, its end is missing",
    "Adler-32": r"damaged PNG \(.*incorrect data check\)",
    "zlib": r"damaged PNG \((IDAT: )?(invalid|incorrect|bad|unknown|too far|missing|unexpected|data |insufficient)",
    "too few pixels": r"damaged PNG \((Not enough (compressed )?image data|Too few|.*nsufficient|Read Error|IDAT)",
    "header": r"damaged PNG \((Invalid IHDR data|IHDR|PNG unsigned integer out of range)",
    "length": r"damaged PNG \(.*(out of range|too large)",
    "palette": r"damaged PNG \((Missing PLTE|PLTE|.*PLTE|Invalid palette)",
    "filter": r"damaged PNG \(bad adaptive filter value\)",
    "order": r"damaged PNG \(.*(first chunk|out of place|Missing|[Uu]nexpected|Too many IDAT|duplicate)",
    "critical": r"damaged PNG \(.*(unknown critical chunk|unhandled critical chunk|invalid chunk type|invalid)",
    "Apple": r"Apple's variant of PNG \(CgBI\) is not supported; convert it",
}
QUIRK_16 = "Pillow cuts 16-bit grey off at 255; the high byte is the value's share of white, as Pillow reads RGB"
QUIRK_INDEX = "the format leaves the colour open: black here, another in older versions of Pillow"
QUIRK_XMP = "older versions of Pillow do not read XMP in every format"


class Plain:
    """A PNG of random samples that can be written with changes."""

    def __init__(self, corpus, colour, depth, size=None, interlaced=0, choose=None, entries=None):
        self.corpus, self.colour, self.depth, self.interlaced = corpus, colour, depth, interlaced
        h, w = size or corpus.size()
        self.entries = entries or 1 << depth
        top = min(self.entries, 1 << depth) if colour == 3 else 1 << depth
        self.samples = corpus.rng.integers(0, top, (h, w, CHANNELS[colour]))
        self.palette = corpus.rng.integers(0, 256, (self.entries, 3), dtype=np.uint8) if colour == 3 else None
        self.raw = scanlines(self.samples, depth, interlaced, choose or (lambda y: corpus.integer(0, 4)))
        self.start = header(h, w, colour, depth, interlaced)
        self.plte = [chunk(b"PLTE", self.palette.tobytes())] if colour == 3 else []
        self.pixels = colours(self.samples, colour, depth, self.palette)

    def transparency(self):
        if self.colour == 3:
            return chunk(b"tRNS", self.corpus.bytes(self.corpus.integer(1, self.entries)))
        values = self.samples[0, 0]
        return chunk(b"tRNS", b"".join(struct.pack(">H", int(v)) for v in values))

    def write(self, before=(), after=(), idat=None, early=()):
        """early: chunks before PLTE; before: after it."""
        body = idat if idat is not None else split(deflate(self.raw, self.corpus.integer(0, 9)), [])
        return assemble(self.start, [*early, *self.plte, *before], body, after)

    def quirk(self):
        return QUIRK_16 if self.depth == 16 and self.colour == 0 else ""


def any_plain(corpus, **more):
    colour = corpus.integer(0, 4) if not corpus.chance(0.1) else 3
    colour = (0, 2, 3, 4, 6)[colour]
    depths = DEPTHS[colour]
    return Plain(corpus, colour, depths[corpus.integer(0, len(depths) - 1)], **more)


def add_types(corpus):
    for colour, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (0, 1):
                for transparent in (False, True):
                    for _ in range(5):
                        p = Plain(corpus, colour, depth, interlaced=interlaced)
                        before = [p.transparency()] if transparent and colour in (0, 2, 3) else []
                        corpus.add("types, depths, interlacing, tRNS", p.write(before), p.pixels, quirk=p.quirk())
            for kind in range(5):
                for interlaced in (0, 1):
                    p = Plain(corpus, colour, depth, interlaced=interlaced, choose=lambda y, k=kind: k)
                    corpus.add("each filter alone", p.write(), p.pixels, quirk=p.quirk())


def add_sizes(corpus):
    for h in range(1, 18):
        for w in range(1, 18):
            p = any_plain(corpus, size=(h, w), interlaced=(h + w) % 2)
            corpus.add("sizes 1 … 17", p.write(), p.pixels, quirk=p.quirk())


def add_palettes(corpus):
    for depth in (1, 2, 4, 8):
        for entries in {1, 2, 3, (1 << depth) - 1, 1 << depth} - {0}:
            if entries <= 1 << depth:
                p = Plain(corpus, 3, depth, entries=entries)
                corpus.add("palettes of every length", p.write(), p.pixels)
                p.samples[0, 0] = (1 << depth) - 1
                p.raw = scanlines(p.samples, depth, 0, lambda y: 0)
                corpus.add("index beyond the palette", p.write(), colours(p.samples, 3, depth, p.palette),
                           quirk=QUIRK_INDEX)
    for colour in (2, 6):
        p = Plain(corpus, colour, 8)
        corpus.add("suggested palette", p.write([chunk(b"PLTE", corpus.bytes(12))]), p.pixels)
    for body in (b"", corpus.bytes(4), corpus.bytes(3 * 257)):
        p = Plain(corpus, 3, 8)
        p.plte = [chunk(b"PLTE", body)]
        corpus.add("palette missing or malformed", p.write(), refusals=("palette", "critical", "order"))
    p = Plain(corpus, 3, 4)
    p.plte = []
    corpus.add("palette missing or malformed", p.write(), refusals=("palette", "order"))
    corpus.add("palette missing or malformed", p.write(after=[chunk(b"PLTE", bytes(48))]),
               refusals=("palette", "order"))


def add_streams(corpus):
    for level in range(10):
        for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED):
            p = any_plain(corpus)
            data = deflate(p.raw, level, corpus.integer(9, 15), strategy)
            corpus.add("deflate levels, strategies, windows", p.write(idat=split(data, [])), p.pixels, quirk=p.quirk())
    for count in (1, 2, 5, 50):
        for _ in range(10):
            p = any_plain(corpus)
            data = deflate(p.raw)
            cuts = [corpus.integer(0, len(data)) for _ in range(count)]
            corpus.add("IDAT in pieces, empty ones", p.write(idat=split(data, cuts + cuts[:1])), p.pixels,
                       quirk=p.quirk())
    for _ in range(5):
        p = any_plain(corpus, size=(3, 4))
        data = deflate(p.raw)
        corpus.add("IDAT in pieces, empty ones", p.write(idat=split(data, range(len(data) + 1))), p.pixels,
                   quirk=p.quirk())


ANCILLARY = [
    (b"gAMA", struct.pack(">I", 45455)), (b"gAMA", struct.pack(">I", 100000)), (b"sRGB", b"\1"),
    (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
    (b"iCCP", b"x\0\0broken"), (b"iCCP", b"name\0\0" + zlib.compress(b"\0" * 200)),
    (b"pHYs", struct.pack(">IIB", 1, 2, 0)),
    (b"tIME", b"\7\xea\1\1\0\0\0"), (b"tEXt", b"Comment\0hello"), (b"zTXt", b"k\0\0" + zlib.compress(b"text")),
    (b"iTXt", b"k\0\0\0\0\0text"), (b"bKGD", b"\0\0\0\0\0\0"), (b"sBIT", b"\5\5\5"), (b"prVt", b"private"),
    (b"acTL", struct.pack(">II", 1, 0)), (b"cICP", b"\1\15\0\1"), (b"tEXt", b""), (b"iTXt", b"\xff\xfe"),
]


def add_ancillary(corpus):
    for name, body in ANCILLARY:
        for place in ("early", "before", "after"):
            p = any_plain(corpus)
            corpus.add("ancillary chunks", p.write(**{place: [chunk(name, body)]}), p.pixels, quirk=p.quirk())
    for _ in range(20):
        p = any_plain(corpus)
        animation = [chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", struct.pack(
            ">IIIIIHHBB", 0, p.samples.shape[1], p.samples.shape[0], 0, 0, 1, 10, 0, 0))]
        later = [chunk(b"fcTL", struct.pack(">IIIIIHHBB", 1, 1, 1, 0, 0, 1, 10, 0, 0)),
                 chunk(b"fdAT", struct.pack(">I", 2) + deflate(scanlines(p.samples[:1, :1], p.depth, 0, lambda y: 0)))]
        corpus.add("animation (APNG), its first image", p.write(animation, later), p.pixels, quirk=p.quirk())


def add_orientation(corpus):
    for orientation, turn in UPRIGHT.items():
        for little in (False, True):
            for place in ("before", "after"):
                p = any_plain(corpus)
                corpus.add("orientation in eXIf", p.write(**{place: [chunk(b"eXIf", exif(orientation, little))]}),
                           turn(p.pixels), quirk=p.quirk())
            hexadecimal = (b"Exif\0\0" + exif(orientation, little)).hex()
            lines = "\n".join(hexadecimal[i:i + 72] for i in range(0, len(hexadecimal), 72))
            text = f"\nexif\n{len(hexadecimal) // 2:8d}\n{lines}\n".encode()
            for name, body in ((b"tEXt", text), (b"zTXt", b"\0" + zlib.compress(text))):
                p = any_plain(corpus)
                profile = [chunk(name, b"Raw profile type exif\0" + body)]
                corpus.add("orientation in a raw profile", p.write(profile), turn(p.pixels), quirk=p.quirk())
            p = any_plain(corpus)
            packet = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(orientation, little))
            corpus.add("orientation in XMP", p.write([packet]), turn(p.pixels), quirk=p.quirk() or QUIRK_XMP)
    for block, orientation in damaged_exif(corpus):
        p = any_plain(corpus)
        corpus.add("damaged eXIf", p.write([chunk(b"eXIf", block)]), UPRIGHT[orientation](p.pixels), quirk=p.quirk())
