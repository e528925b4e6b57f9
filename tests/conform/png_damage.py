"""PNG: files that the format forbids, each with the reason that the refusal must give; extra bytes at the end."""
import struct

import png
from cases import encode, picture
from PIL import Image
from png_writer import SIGNATURE, assemble, chunk, chunks, deflate, header, split


REFUSALS = png.REFUSALS


def add_checksums(corpus):
    """A flipped bit in the body or the checksum of every chunk."""
    for _ in range(12):
        p = png.any_plain(corpus, size=(corpus.integer(3, 20), corpus.integer(3, 20)))
        extra = [chunk(name, body) for name, body in png.ANCILLARY[::3]]
        data = p.write(extra, [chunk(b"tEXt", b"late\0text")])
        for at, name, length in chunks(data):
            broken = bytearray(data)
            broken[corpus.integer(at + 8, at + 11 + length)] ^= 1 << corpus.integer(0, 7)
            refusals = {b"IHDR": ("checksum", "header"), b"IDAT": (
                "checksum", "Adler-32", "zlib", "filter", "too few pixels")}.get(name, ("checksum",))
            corpus.add("checksum of each chunk", broken, refusals=refusals)
    for _ in range(60):
        p = png.any_plain(corpus, size=(9, 9))
        data = bytearray(p.write())
        data[corpus.integer(8, len(data) - 1)] ^= 1 << corpus.integer(0, 7)
        corpus.add("one bit anywhere", data, refusals=tuple(png.REFUSALS))


def add_ends(corpus):
    for _ in range(40):
        p = png.any_plain(corpus, size=(corpus.integer(4, 30), corpus.integer(4, 30)))
        data = p.write()
        corpus.add("truncated", data[:corpus.integer(9, len(data) - 1)], refusals=("truncated",))
    for _ in range(6):
        p = png.any_plain(corpus)
        data = p.write()
        corpus.add("truncated", data[:-12], refusals=("truncated",))
        for tail in (b"garbage", bytes(100), data, chunk(b"IDAT", b"x"), b"\xff\xd8\xff"):
            corpus.add("bytes after IEND", data + tail, p.pixels, quirk=p.quirk())


def add_streams(corpus):
    for _ in range(10):
        p = png.any_plain(corpus, size=(corpus.integer(6, 20), corpus.integer(6, 20)))
        whole = deflate(p.raw)
        corpus.add("compressed stream cut short", p.write(idat=split(whole[:len(whole) // 2], [])),
                   refusals=("too few pixels", "zlib"))
        corpus.add("compressed stream cut short", p.write(idat=split(deflate(p.raw[:len(p.raw) // 2]), [])),
                   refusals=("too few pixels", "zlib"))
        corpus.add("compressed stream cut short", p.write(idat=[chunk(b"IDAT")]), refusals=("too few pixels", "zlib"))
        corpus.add("compressed stream cut short", p.write(idat=[]), refusals=("order", "too few pixels"))
        wrong = bytearray(whole)
        wrong[-1] ^= 1
        corpus.add("wrong Adler-32", p.write(idat=split(wrong, [])), refusals=("Adler-32",))
        corpus.add("no Adler-32", p.write(idat=split(whole[:-4], [])), refusals=("Adler-32", "too few pixels", "zlib"))
        for first in (b"\x79\x9c", b"\x88\x1c", b"\x78\xbb"):
            corpus.add("wrong zlib header", p.write(idat=split(first + whole[2:], [])), refusals=("zlib",))
        corpus.add("compressed data after the pixels", p.write(idat=split(deflate(p.raw + bytes(50)), [])), p.pixels,
                   quirk=p.quirk())
        corpus.add("bytes after the stream", p.write(idat=split(whole + b"garbage", [])), p.pixels, quirk=p.quirk())
    p = png.Plain(corpus, 0, 8, size=(60, 60))
    small = bytearray(deflate(bytes(61 * 30) + p.raw[61 * 30:] + bytes(3000) + p.raw, 9))
    small[0], small[1] = 0x08, 0x1D
    corpus.add("window smaller than its distances", p.write(idat=split(small, [])), refusals=("zlib", "too few pixels"))


def add_layout(corpus):
    p = png.Plain(corpus, 2, 8, size=(9, 7))
    whole = split(deflate(p.raw), [20])
    text = chunk(b"tEXt", b"k\0v")
    for colour, depth in ((2, 4), (3, 16), (4, 2), (6, 1), (1, 8), (5, 8), (7, 8), (0, 3), (0, 32)):
        corpus.add("impossible header", assemble(header(9, 7, colour, depth), idat=whole), refusals=("header",))
    for start in (header(0, 7, 2, 8), header(9, 0, 2, 8), header(2 ** 31, 7, 2, 8), header(9, 7, 2, 8, 2),
                  header(9, 7, 2, 8, 0, 1), header(9, 7, 2, 8, 0, 0, 1), chunk(b"IHDR", b"\0\0\0\1")):
        corpus.add("impossible header", assemble(start, idat=whole), refusals=("header", "order"))
    for kind in (5, 6, 128, 255):
        raw = bytearray(p.raw)
        raw[0] = kind
        corpus.add("impossible filter", p.write(idat=split(deflate(bytes(raw)), [])), refusals=("filter",))
    data = SIGNATURE + text + p.start + b"".join(whole) + chunk(b"IEND")
    corpus.add("chunks out of order", data, refusals=("order",))
    corpus.add("chunks out of order", p.write(idat=[whole[0], text, whole[1]]), refusals=("order", "too few pixels"))
    corpus.add("chunks out of order", p.write(early=[p.start]), refusals=("order",))
    corpus.add("unknown critical chunk", p.write([chunk(b"ABCD", b"x")]), refusals=("critical",))
    corpus.add("unknown critical chunk", p.write(after=[chunk(b"ABCD", b"x")]), refusals=("critical",))
    corpus.add("impossible name of a chunk", p.write([chunk(b"a1CD", b"x")]), refusals=("critical",))
    corpus.add("Apple's CgBI", assemble(chunk(b"CgBI", b"\x50\0\x20\2"), [p.start], whole), refusals=("Apple",))


def add_written_by_pillow(corpus):
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        for optimize in (False, True):
            for _ in range(4):
                image = Image.fromarray(picture(corpus, *corpus.size())).convert("RGB")
                corpus.add("written by Pillow", encode(image.convert(mode), "PNG", optimize=optimize))


def make(corpus):
    for add in (png.add_types, png.add_sizes, png.add_palettes, png.add_streams, png.add_ancillary,
                png.add_orientation, add_written_by_pillow, add_checksums, add_ends, add_streams, add_layout):
        add(corpus)
