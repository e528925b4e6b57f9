"""JPEG: damage that the format shows, with the reason the refusal must give, and damage that it cannot show."""
import os
import re
import struct

import jpeg
import jpeg_writer as writer
from cases import picture, encode
from jpeg import FACTORS, PROGRESSIVE, base, changed_frame, planes
from jpeg_writer import EOI, Frame, segment
from PIL import Image

REFUSALS = jpeg.REFUSALS
IN_SCAN = ("scan", "truncated", "restarts", "scans", "stray after scan", "header", "many scans")


def scan_start(data):
    """The first byte of the entropy-coded data of the first scan."""
    at = data.index(b"\xff\xda")
    return at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]


def photo(corpus, **more):
    """A file with some hundred bytes of scan, and its pixels."""
    options = dict(quality=corpus.integer(60, 95), progressive=corpus.chance(0.4), **more)
    options["subsampling"] = corpus.integer(0, 2)
    if corpus.chance(0.5):
        options["restart_marker_blocks"] = corpus.integer(1, 6)
    data = encode(Image.fromarray(picture(corpus, corpus.integer(24, 60), corpus.integer(24, 60))), "JPEG", **options)
    return data, jpeg.pillow(data)


def add_ends(corpus):
    for _ in range(60):
        data, _ = photo(corpus)
        start = scan_start(data)
        cut = corpus.integer(start + 1, len(data) - 3)
        corpus.add("truncated", data[:cut], refusals=IN_SCAN)
        corpus.add("truncated, then an end marker", data[:cut] + EOI, refusals=IN_SCAN, silent=cut > len(data) - 8,
                   original=jpeg.pillow(data))
        corpus.add("truncated in the headers", data[:corpus.integer(4, start - 1)], refusals=IN_SCAN)
        corpus.add("no end marker", data[:-2], refusals="truncated")
        corpus.add("no end marker", data[:-1], refusals="truncated")


def photographs():
    """The JPEGs of the folder CONFORM_PHOTOS in the order of their names; none without it."""
    folder = os.environ.get("CONFORM_PHOTOS")
    names = sorted(n for n in os.listdir(folder) if n.lower().endswith((".jpg", ".jpeg"))) if folder else []
    return [os.path.join(folder, name) for name in names]


def samples(corpus):
    """Prefix of the family's name, bytes and pixels: 120 small pictures, then each photograph."""
    for _ in range(120):
        yield ("", *photo(corpus))
    for path in photographs():
        with open(path, "rb") as file:
            data = file.read()
        yield "photographs: ", data, jpeg.pillow(data)


def add_scan_damage(corpus):
    for prefix, data, pixels in samples(corpus):
        start = scan_start(data)
        at = corpus.integer(start, len(data) - 30)
        count = min(20, len(data) - 2 - at)
        for family, broken in (
                ("zero bytes in a scan", data[:at] + bytes(count) + data[at + count:]),
                ("random bytes in a scan", data[:at] + corpus.bytes(count) + data[at + count:]),
                ("bytes deleted from a scan", data[:at] + data[at + count:]),
                ("one bit flipped in a scan",
                 data[:at] + bytes([data[at] ^ 1 << corpus.integer(0, 7)]) + data[at + 1:])):
            corpus.add(prefix + family, broken, refusals=IN_SCAN + ("components", "precision", "DNL", "sampling", "arithmetic",
                                                           "lossless", "hierarchical", "JPEG-LS"),
                       silent=True, original=pixels)


def add_restarts(corpus):
    for _ in range(30):
        frame = Frame(planes(corpus, 3, (40, 40)), FACTORS["444"])
        data = b"".join(writer.write(frame, restart=2))
        found = [m.start() for m in re.finditer(b"\xff[\xd0-\xd7]", data) if m.start() > scan_start(data)]
        at = found[corpus.integer(0, len(found) - 1)]
        corpus.add("restart marker missing", data[:at] + data[at + 2:], refusals=IN_SCAN)
        wrong = 0xD0 + (data[at + 1] + corpus.integer(1, 6)) % 8
        corpus.add("restart marker out of order", data[:at + 1] + bytes([wrong]) + data[at + 2:], refusals=IN_SCAN)
        corpus.add("stray bytes after a scan", data[:-2] + corpus.bytes(5).replace(b"\xff", b"x") + EOI,
                   refusals="stray after scan", silent=True, original=jpeg.pillow(data))


def markers_after_scan(data):
    """Positions of the markers behind the first scan's data, each with whether a scan's data are in front of it."""
    at, follows_data = scan_start(data), True
    while True:
        if follows_data:
            at = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]").search(data, at).start()
        yield at, follows_data
        if data[at + 1] == 0xD9:
            return
        follows_data = data[at + 1] == 0xDA
        at += 2 + struct.unpack(">H", data[at + 2:at + 4])[0]


def add_stray_in_progressive(corpus):
    """Two bytes in front of each marker behind the first scan. Behind the data of a scan they may be what a damaged
    scan left over: the file is refused where libjpeg reports them, which it does for those that it had not yet
    fetched as bits. Elsewhere they change nothing."""
    for _ in range(4):
        data = encode(Image.fromarray(picture(corpus, corpus.integer(24, 60), corpus.integer(24, 60))), "JPEG",
                      progressive=True, quality=corpus.integer(60, 95))
        for at, follows_data in markers_after_scan(data):
            stray = data[:at] + corpus.bytes(2).replace(b"\xff", b"x") + data[at:]
            if follows_data:
                corpus.add("stray bytes after a scan of a progressive file", stray, refusals="stray after scan",
                           silent=True, original=jpeg.pillow(data))
            else:
                corpus.add("stray bytes between scans of a progressive file", stray, jpeg.pillow(data))


def add_tables(corpus):
    for _ in range(6):
        parts = writer.write(Frame(planes(corpus, 3), FACTORS["420"]))
        corpus.add("tables missing", b"".join(p for p in parts if p[1] != 0xDB), refusals="header")
        corpus.add("tables missing", b"".join(p for p in parts if p[1] != 0xC4), refusals=IN_SCAN, silent=True)
        image = encode(Image.fromarray(picture(corpus, *corpus.size())), "JPEG")
        without = re.sub(rb"\xff\xc4.{2}[\x00\x01\x10\x11].*?(?=\xff[\xc4\xda])", b"", image, flags=re.DOTALL)
        corpus.add("standard tables left out (Motion JPEG)", without, jpeg.pillow(image))
        parts[1:2] = [segment(0xDB, b"\0" + bytes(30))]
        corpus.add("malformed tables", b"".join(parts), refusals=("header",))
        parts = writer.write(Frame(planes(corpus, 3), FACTORS["420"]))
        broken = bytearray(b"".join(parts))
        broken[broken.index(b"\xff\xc4") + 5] = 200
        corpus.add("malformed tables", broken, refusals=("header", "scan", "stray after scan"))
        corpus.add("no frame", b"".join(p for p in parts if p[1] != 0xC0), refusals="header")
        corpus.add("two frames", b"".join(parts[:3]) + b"".join(parts[2:]), refusals="header")
        corpus.add("no scan", b"".join(parts[:3]) + EOI, refusals=("header", "truncated"))
        for change in (lambda s: s.__setitem__(slice(7, 9), b"\0\0"), lambda s: s.__setitem__(11, 0x50),
                       lambda s: s.__setitem__(11, 0), lambda s: s.__setitem__(12, 5), lambda s: s.__setitem__(3, 20)):
            corpus.add("impossible frame", changed_frame(parts, change), refusals=("header", "sampling"))
        frame = Frame(planes(corpus, 3), FACTORS["444"])
        script = PROGRESSIVE["successive"](3)
        corpus.add("progressive without its last scans", b"".join(writer.write(
            frame, marker=0xC2, script=script[:corpus.integer(1, len(script) - 1)])), refusals="scans")
    for data in (b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0", b"\xff\xd8" + bytes(50)):
        corpus.add("no image at all", data, refusals=("no image", "truncated"))
    corpus.add("no image at all", b"".join(base(corpus)[3:]), refusals="no image")


def make(corpus):
    for add in (jpeg.add_written_by_pillow, jpeg.add_frames, jpeg.add_models, jpeg.add_sizes, jpeg.add_orientation,
                jpeg.add_harmless, jpeg.add_unsupported, add_ends, add_scan_damage, add_restarts, add_tables,
                add_stray_in_progressive):
        add(corpus)
