"""BMP: every header, depth, compression and row order, gaps and short palettes, and damage."""
import struct

import numpy as np
from PIL import Image

import bmp_writer as writer
from cases import encode, picture

REFUSALS = {
    "truncated": r"truncated BMP, its end is missing",
    "header": r"damaged BMP \(a header of",
    "size": r"damaged BMP \(a size of",
    "depth": r"BMP of \d+ bits per pixel is not supported; convert it",
    "compression": r"BMP of compression \d+ with \d+ bits per pixel is not supported; convert it",
    "embedded": r"BMP with a (JPEG|PNG) inside is not supported; convert it",
    "not an image": r"not a JPEG, PNG or BMP image",
    "limit": r"the limit is",
    "fields": r"damaged BMP \(",
}
QUIRK_ODD = "Pillow aligns runs to the file where they are aligned to the first pixel"
QUIRK_DELTA = "older versions of Pillow read deltas and runs of 4 bits in another way"
QUIRK_RUNS = "older versions of Pillow continue a row of pixels after its last run"
QUIRK_SHORT = "Pillow reads colours from the pixels where the palette is cut short"
HEADERS = (40, 52, 56, 64, 108, 124)


def indices(corpus, bits, size=None):
    h, w = size or corpus.size()
    out = corpus.rng.integers(0, 1 << bits, (h, w))
    return np.repeat(out[:, :1], w, 1) if corpus.chance(0.3) else out


def palette_of(corpus, entries):
    return corpus.rng.integers(0, 256, (entries, 3), dtype=np.uint8)


def rows(array, top):
    return array if top else array[::-1]


def add_indexed(corpus):
    for bits in (1, 2, 4, 8):
        for header in HEADERS + (12,):
            for top in (False, True):
                for _ in range(6):
                    if header == 12 and top:
                        continue
                    s, palette = indices(corpus, bits), palette_of(corpus, 1 << bits)
                    data = writer.file(*s.shape, bits, writer.indexed(rows(s, top), bits),
                                       writer.palette_bytes(palette, 3 if header == 12 else 4), header=header,
                                       top=top, gap=corpus.integer(0, 1) * corpus.integer(1, 70),
                                       used=corpus.integer(0, 1) << bits, tail=corpus.bytes(corpus.integer(0, 3)))
                    corpus.add("indexed, all headers", data, palette[s])


def add_short_palettes(corpus):
    for bits in (1, 4, 8):
        for used in {1, 2, (1 << bits) - 1}:
            s = indices(corpus, bits) % used
            palette = palette_of(corpus, used)
            data = writer.file(*s.shape, bits, writer.indexed(s[::-1], bits), writer.palette_bytes(palette), used=used)
            corpus.add("palette with fewer colours", data, palette[s])
            black = np.vstack([palette, np.zeros((256, 3), np.uint8)])
            s = indices(corpus, bits)
            data = writer.file(*s.shape, bits, writer.indexed(s[::-1], bits), writer.palette_bytes(palette), used=used)
            corpus.add("index beyond the palette", data, black[s], quirk=QUIRK_SHORT)


def add_runs(corpus):
    for bits, compression in ((8, writer.RLE8), (4, writer.RLE4)):
        for header in (40, 64, 108, 124):
            for skip in (0.0, 0.2):
                for last in (False, True):
                    for _ in range(6):
                        s, palette = indices(corpus, bits), palette_of(corpus, 1 << bits)
                        codes, seen = writer.runs(s[::-1], bits, corpus, skip, last)
                        data = writer.file(*s.shape, bits, codes, writer.palette_bytes(palette), header=header,
                                           compression=compression, gap=corpus.integer(0, 9))
                        odd = QUIRK_ODD if data[10] % 2 else ""
                        corpus.add("run lengths with deltas" if skip else "run lengths", data, palette[seen[::-1]],
                                   quirk=QUIRK_DELTA if skip or bits == 4 else odd)
        palette = palette_of(corpus, 1 << bits)
        one = bytes([1 if bits == 8 else 0x11])
        for codes, seen in ((b"\2" + one + b"\0\1", [[0, 0, 0], [1, 1, 0]]),
                            (b"\0\2\1\1\1" + one + b"\0\1", [[0, 1, 0], [0, 0, 0]]),
                            (b"\3" + one + b"\0\0\0\1", [[0, 0, 0], [1, 1, 1]]),
                            (b"\7" + one + b"\0\0\1" + one + b"\0\1", [[1, 0, 0], [1, 1, 1]])):
            data = writer.file(2, 3, bits, codes, writer.palette_bytes(palette), compression=compression)
            corpus.add("runs that leave pixels out", data, palette[np.array(seen)], quirk=QUIRK_RUNS)


def add_true_colour(corpus):
    for top in (False, True):
        for header in HEADERS + (12,):
            for _ in range(6):
                if header == 12 and top:
                    continue
                p = picture(corpus, *corpus.size())
                source = rows(p, top)[..., ::-1]
                gap = corpus.integer(0, 1) * corpus.integer(1, 70)
                data = writer.file(*p.shape[:2], 24, writer.padded(r.tobytes() for r in source), header=header,
                                   top=top, gap=gap)
                corpus.add("24 bits", data, p)
                fourth = corpus.rng.integers(0, 256, p.shape[:2] + (1,), dtype=np.uint8)
                four = np.concatenate([source, fourth], 2)
                data = writer.file(*p.shape[:2], 32, four.tobytes(), header=header, top=top, gap=gap)
                corpus.add("32 bits", data, p)


MASKS = {
    "565": (16, (0xF800, 0x07E0, 0x001F, 0)), "555": (16, (0x7C00, 0x03E0, 0x001F, 0)),
    "1555": (16, (0x7C00, 0x03E0, 0x001F, 0x8000)), "4444": (16, (0x0F00, 0x00F0, 0x000F, 0xF000)),
    "332": (16, (0xE0, 0x1C, 0x03, 0)), "BGR565": (16, (0x1F, 0x7E0, 0xF800, 0)), "one bit": (16, (4, 2, 1, 0)),
    "no red": (16, (0, 0x7E0, 0x1F, 0)),
    "BGRX": (32, (0xFF0000, 0xFF00, 0xFF, 0)), "BGRA": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
    "RGBX": (32, (0xFF, 0xFF00, 0xFF0000, 0)), "RGBA": (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)),
    "XBGR": (32, (0xFF000000, 0xFF0000, 0xFF00, 0)), "10 bits": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
    "11 11 10": (32, (0x7FF, 0x3FF800, 0xFFC00000, 0)), "565 of 32": (32, (0xF800, 0x07E0, 0x001F, 0)),
}


def add_masks(corpus):
    for bits, masks in MASKS.values():
        for header in (40, 52, 56, 108, 124):
            for top in (False, True):
                for _ in range(2):
                    p = picture(corpus, *corpus.size())
                    pixels, seen = writer.masked(rows(p, top), masks, bits // 8)
                    data = writer.file(*p.shape[:2], bits, pixels, header=header, top=top, masks=masks,
                                       compression=writer.BITFIELDS, gap=corpus.integer(0, 5))
                    corpus.add(f"bit fields of {bits} bits", data, rows(seen, top), apart=1)
        p = picture(corpus, *corpus.size())
        pixels, seen = writer.masked(p[::-1], masks, bits // 8)
        data = writer.file(*p.shape[:2], bits, pixels, masks=masks, compression=writer.ALPHA_BITFIELDS)
        corpus.add("bit fields with alpha (Windows CE)", data, seen[::-1], apart=1)
    for _ in range(10):
        p = picture(corpus, *corpus.size())
        data = writer.file(*p.shape[:2], 24, writer.padded(r.tobytes() for r in p[::-1, :, ::-1]), offset=0)
        corpus.add("place of the pixels left 0", data, p)
        s, palette = indices(corpus, 4), palette_of(corpus, 16)
        data = writer.file(*s.shape, 4, writer.indexed(s[::-1], 4), writer.palette_bytes(palette), offset=0)
        corpus.add("place of the pixels left 0", data, palette[s])
        pixels, seen = writer.masked(p[::-1], MASKS["555"][1], 2)
        corpus.add("16 bits without masks", writer.file(*p.shape[:2], 16, pixels), seen[::-1], apart=1)


def add_damage(corpus):
    for _ in range(40):
        p = picture(corpus, *(n + 1 for n in corpus.size()))
        data = writer.file(*p.shape[:2], 24, writer.padded(r.tobytes() for r in p))
        corpus.add("truncated", data[:corpus.integer(27, len(data) - 4)], refusals="truncated")
        s, palette = indices(corpus, 8, (9, 9)), writer.palette_bytes(palette_of(corpus, 256))
        codes, _ = writer.runs(s, 8, corpus)
        data = writer.file(9, 9, 8, codes, palette, compression=writer.RLE8)
        corpus.add("truncated", data[:-corpus.integer(12, len(codes))], refusals="truncated")
    flat = bytes(4 * 16)
    for header in (0, 13, 15, 1025, 2 ** 31):
        data = bytearray(writer.file(4, 4, 32, flat))
        data[14:18] = struct.pack("<I", header)
        corpus.add("impossible header", data, refusals=("header", "truncated"))
    for h, w in ((0, 4), (4, 0), (4, -4), (-2 ** 31, 4)):
        corpus.add("impossible size", writer.file(h, w, 32, flat), refusals=("size", "limit", "truncated"))
    corpus.add("larger than the limits", writer.file(20000, 4, 32, flat), refusals="limit")
    for bits in (0, 3, 5, 12, 15, 30, 48, 64):
        corpus.add("unknown depth", writer.file(4, 4, bits, flat), refusals=("depth", "embedded"))
    for compression, bits in ((1, 4), (2, 8), (3, 24), (1, 24), (7, 32), (11, 32), (12, 8), (13, 4), (99, 24)):
        data = writer.file(4, 4, bits, flat, compression=compression)
        corpus.add("unknown compression", data, refusals="compression")
    for compression, kind in ((writer.JPEG, "JPEG"), (writer.PNG, "PNG")):
        inside = encode(Image.fromarray(picture(corpus, 4, 4)), kind)
        for bits in (0, 24):
            data = writer.file(4, 4, bits, inside, compression=compression)
            corpus.add("JPEG or PNG inside", data, refusals="embedded")
    corpus.add("OS/2 Huffman", writer.file(4, 4, 1, flat, bytes(8), header=64, compression=3), refusals="compression")
    corpus.add("OS/2 RLE24", writer.file(4, 4, 24, flat, header=64, compression=4), refusals="compression")
    for kind in (b"BA", b"CI", b"CP", b"IC", b"PT"):
        data = kind + writer.file(4, 4, 32, flat)[2:]
        corpus.add("OS/2 arrays, icons, pointers", data, refusals="not an image")
    for offset in (1, 14, 53):
        data = writer.file(5, 5, 24, bytes(80), offset=offset)
        corpus.add("pixels inside the headers", data, refusals="fields")


def make(corpus):
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        for _ in range(8):
            image = Image.fromarray(picture(corpus, *corpus.size())).convert("RGB").convert(mode)
            corpus.add("written by Pillow", encode(image, "BMP"))
    for add in (add_indexed, add_short_palettes, add_runs, add_true_colour, add_masks, add_damage):
        add(corpus)
