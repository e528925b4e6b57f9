"""JPEG: colour models, sampling factors, processes, metadata and harmless bytes; kinds that are not supported."""
import io
import struct

import numpy as np
from PIL import Image

import jpeg_writer as writer
from cases import UPRIGHT, damaged_exif, encode, exif, picture, xmp
from jpeg_writer import EOI, JFIF, Frame, adobe, segment

REFUSALS = {
    "truncated": r"truncated JPEG, its end is missing",
    "scan": r"damaged JPEG: (its scan ends early|impossible codes in its scan)",
    "restarts": r"damaged JPEG: restart markers are missing or out of order",
    "scans": r"damaged JPEG: its (last scans are missing|scans do not complete one another)",
    "stray after scan": r"JPEG with stray bytes after the data of a scan, as damage leaves them",
    "header": r"damaged JPEG \(",
    "lossless": r"lossless JPEG is not supported; convert it",
    "arithmetic": r"arithmetic-coded JPEG is not supported; convert it",
    "hierarchical": r"hierarchical JPEG is not supported; convert it",
    "JPEG-LS": r"JPEG-LS is not supported; convert it",
    "precision": r"\d+-bit JPEG is not supported; convert it to 8 bits",
    "components": r"JPEG of \d+ components is not supported; convert it",
    "DNL": r"JPEG with its height after the scan \(DNL\) is not supported; convert it",
    "sampling": r"JPEG with (fractional|these) sampling factors is not supported; convert it",
    "many scans": r"JPEG of more than 100 scans; convert it",
    "no image": r"(not a JPEG, PNG or BMP image|damaged JPEG \()",
}
QUIRK_BYTE = "Pillow ignores an orientation of type BYTE"
QUIRK_XMP = "older versions of Pillow do not read XMP in a JPEG"
PROGRESSIVE = {
    "spectral": lambda n: [(None, 0, 0, 0, 0)] + [((c,), 1, 63, 0, 0) for c in range(n)],
    "bands": lambda n: [(None, 0, 0, 0, 0)] + [((c,), a, b, 0, 0) for a, b in ((1, 5), (6, 63)) for c in range(n)],
    "successive": lambda n: [(None, 0, 0, 0, 1)] + [((c,), 1, 63, 0, 2) for c in range(n)] + [
        ((c,), 1, 63, high, high - 1) for high in (2, 1) for c in range(n)] + [(None, 0, 0, 1, 0)],
    "single": lambda n: [((c,), 0, 0, 0, 0) for c in range(n)] + [
        ((c,), k, k, 0, 0) for c in range(n) for k in range(1, 64)],
}
FACTORS = {
    "444": ((1, 1),) * 3, "422": ((2, 1), (1, 1), (1, 1)), "420": ((2, 2), (1, 1), (1, 1)),
    "411": ((4, 1), (1, 1), (1, 1)), "440": ((1, 2), (1, 1), (1, 1)), "441": ((1, 4), (1, 1), (1, 1)),
    "410": ((4, 2), (1, 1), (1, 1)), "311": ((3, 1), (1, 1), (1, 1)), "313": ((1, 3), (1, 1), (1, 1)),
    "421": ((2, 2), (2, 1), (1, 1)), "221": ((2, 2), (1, 2), (2, 1)), "mirrored": ((1, 1), (2, 2), (1, 1)),
    "two whole": ((2, 2), (2, 2), (1, 1)), "all 2x1": ((2, 1),) * 3, "blue whole": ((2, 1), (2, 1), (1, 1)),
}


def planes(corpus, count, size=None):
    h, w = size or corpus.size()
    p = picture(corpus, h, w)
    return [p[..., c % 3] if c < 3 else 255 - p[..., 0] // 2 for c in range(count)]


def pillow(data):
    """What Pillow reads from bytes, turned upright by nothing."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def add_frames(corpus):
    """Every sampling × process × restart interval, in one scan and in one scan per component."""
    for factors in FACTORS.values():
        n = len(factors)
        for restart in (0, 1, 3):
            for marker, script in [(0xC0, writer.SEQUENTIAL), (0xC1, writer.SEQUENTIAL),
                                   (0xC0, [((c,), 0, 63, 0, 0) for c in range(n)])] + [
                                       (0xC2, make(n)) for name, make in PROGRESSIVE.items() if name != "single"]:
                frame = Frame(planes(corpus, n), factors, corpus.integer(1, 40))
                before = [[], [JFIF], [adobe(1)], [JFIF, adobe(1)]][corpus.integer(0, 3)]
                data = b"".join(writer.write(frame, marker=marker, script=script, restart=restart, before=before,
                                             wide=corpus.chance(0.3) and marker != 0xC0))
                process = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}[marker]
                corpus.add(f"{process}, all sampling factors", data)


def add_models(corpus):
    """Grey, RGB, YCbCr, CMYK and YCCK, by marker, by the names of the components and by default."""
    for count, factors in ((1, ((1, 1),)), (1, ((2, 2),)), (1, ((4, 1),)), (3, FACTORS["444"]), (3, FACTORS["420"]),
                           (4, ((1, 1),) * 4), (4, ((2, 2), (1, 1), (1, 1), (2, 2))),
                           (4, ((2, 1), (1, 1), (1, 1), (2, 1)))):
        for ids in ((1, 2, 3, 4), (0, 1, 2, 3), (82, 71, 66, 65), (67, 77, 89, 75), (1, 34, 35, 36)):
            for before in ([], [JFIF], [adobe(0)], [adobe(1)], [adobe(2)], [JFIF, adobe(0)], [JFIF, adobe(2)]):
                frame = Frame(planes(corpus, count), factors)
                data = b"".join(writer.write(frame, before=before, ids=ids))
                corpus.add({1: "grey", 3: "YCbCr and RGB", 4: "CMYK and YCCK"}[count] + ", every marking", data)


def add_sizes(corpus):
    names = list(FACTORS)
    for h in range(1, 18):
        for w in range(1, 18):
            frame = Frame(planes(corpus, 3, (h, w)), FACTORS[names[(h * 17 + w) % 6]])
            script = PROGRESSIVE["bands"](3) if (h + w) % 2 else writer.SEQUENTIAL
            parts = writer.write(frame, marker=0xC2 if (h + w) % 2 else 0xC0, script=script)
            corpus.add("sizes 1 … 17", b"".join(parts))


def add_written_by_pillow(corpus):
    for mode in ("L", "RGB", "CMYK"):
        for quality in (20, 75, 95, 100):
            for subsampling in (0, 1, 2):
                for progressive in (False, True):
                    for restart in ({}, {"restart_marker_blocks": corpus.integer(1, 5)}, {"restart_marker_rows": 1}):
                        image = Image.fromarray(picture(corpus, *corpus.size(60))).convert(mode)
                        options = dict(restart, quality=quality, progressive=progressive, optimize=corpus.chance(0.5))
                        if mode != "L":
                            options["subsampling"] = subsampling
                        if mode == "RGB" and subsampling == 0 and corpus.chance(0.4):
                            options["keep_rgb"] = True
                        if corpus.chance(0.3):
                            options["icc_profile"] = corpus.bytes(corpus.integer(1, 70000))
                        if corpus.chance(0.3):
                            options["comment"] = corpus.bytes(corpus.integer(0, 300))
                        corpus.add(f"written by Pillow, {mode}", encode(image, "JPEG", **options))
    for _ in range(12):
        images = [Image.fromarray(picture(corpus, *corpus.size())) for _ in range(2)]
        corpus.add("MPO, its first image", encode(images[0], "MPO", save_all=True, append_images=images[1:]))


def base(corpus, **more):
    frame = Frame(planes(corpus, 3, (corpus.integer(9, 40), corpus.integer(9, 40))), FACTORS["420"])
    if corpus.chance(0.4):
        more = dict(more, marker=0xC2, script=PROGRESSIVE["successive"](3))
    return writer.write(frame, before=[JFIF], restart=corpus.integer(0, 2), **more)


def with_segment(parts, *extra):
    """The file with segments after the JFIF segment."""
    return b"".join(parts[:2]) + b"".join(extra) + b"".join(parts[2:])


def add_orientation(corpus):
    for orientation, turn in UPRIGHT.items():
        for little in (False, True):
            for kind in (3, 4, 1):  # a SHORT, as the standard has it; a LONG; a BYTE
                parts = base(corpus)
                block = segment(0xE1, b"Exif\0\0" + exif(orientation, little, corpus.integer(0, 3), kind))
                others = [segment(0xE2, b"MPF\0" + bytes(20)), segment(0xE1, b"unknown")][:corpus.integer(0, 2)]
                corpus.add("orientation in EXIF", with_segment(parts, *others, block),
                           turn(pillow(b"".join(parts))), quirk=QUIRK_BYTE if kind == 1 else "")
            parts = base(corpus)
            packet = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(orientation, little))
            corpus.add("orientation in XMP", with_segment(parts, packet), turn(pillow(b"".join(parts))),
                       quirk=QUIRK_XMP)
            block = segment(0xE1, b"Exif\0\0" + exif(1, little))
            corpus.add("EXIF before XMP", with_segment(parts, packet, block), pillow(b"".join(parts)))
    for block, orientation in damaged_exif(corpus):
        parts = base(corpus)
        corpus.add("damaged EXIF", with_segment(parts, segment(0xE1, b"Exif\0\0" + block)),
                   UPRIGHT[orientation](pillow(b"".join(parts))))


def add_harmless(corpus):
    """Bytes that change no pixel: fill bytes, stray bytes between segments, restart markers before the end,
    trailing bytes, comments, thumbnails."""
    thumbnail = encode(Image.fromarray(picture(corpus, 8, 8)), "JPEG")
    for _ in range(12):
        parts = base(corpus)
        plain = b"".join(parts)
        at = corpus.integer(2, 3)
        for family, data in (
                ("fill bytes", b"".join(parts[:at]) + b"\xff\xff\xff" + b"".join(parts[at:])),
                ("fill bytes", plain[:-2] + b"\xff" * 5 + EOI),
                ("stray bytes between segments", b"".join(parts[:at]) + b"\0\1x" + b"".join(parts[at:])),
                ("restart marker before the end", plain[:-2] + bytes([0xFF, 0xD0 + corpus.integer(0, 7)]) + EOI),
                ("bytes after the end", plain + b"garbage"), ("bytes after the end", plain + plain),
                ("bytes after the end", plain + bytes(3)),
                ("comments and application segments", with_segment(parts, segment(0xFE, corpus.bytes(9)),
                                                                   segment(0xED, b"Photoshop 3.0\0" + bytes(40)))),
                ("comments and application segments", with_segment(parts, segment(0xE1, b"Exif\0\0" + exif(
                    1, True) + thumbnail), *[segment(0xE0 + i, corpus.bytes(5)) for i in range(2, 16) if i != 14])),
                ("comments and application segments", with_segment(parts, segment(0xFE), segment(0xFE, b"x\0")))):
            corpus.add(family, data, pillow(plain))


def changed_frame(parts, change):
    """The file with its frame segment changed: change(bytearray of the segment)."""
    out = list(parts)
    at = next(i for i, p in enumerate(out) if 0xC0 <= p[1] <= 0xC2)
    out[at] = bytearray(out[at])
    change(out[at])
    return b"".join(bytes(p) for p in out)


def add_unsupported(corpus):
    for _ in range(4):
        parts = writer.write(Frame(planes(corpus, 3), FACTORS["444"]), before=[JFIF])
        for marker, name in ((0xC3, "lossless"), (0xC7, "lossless"), (0xCB, "lossless"), (0xCF, "lossless"),
                             (0xC9, "arithmetic"), (0xCA, "arithmetic"), (0xC5, "hierarchical"), (0xC6, "hierarchical"),
                             (0xCD, "arithmetic"), (0xCE, "arithmetic"), (0xF7, "JPEG-LS")):
            data = changed_frame(parts, lambda s, m=marker: s.__setitem__(1, m))
            corpus.add("lossless, arithmetic, hierarchical, LS", data, refusals=(name, "hierarchical"))
        corpus.add("12 and 16 bits", b"".join(writer.write(Frame(planes(corpus, 1), ((1, 1),)), marker=0xC1,
                                                           precision=12)), refusals="precision")
        corpus.add("12 and 16 bits", changed_frame(parts, lambda s: s.__setitem__(4, 16)), refusals="precision")
        two = writer.write(Frame(planes(corpus, 2), ((1, 1),) * 2))
        corpus.add("2 and 5 components", b"".join(two), refusals="components")
        five = writer.write(Frame(planes(corpus, 5), ((1, 1),) * 5), ids=(1, 2, 3, 4, 5),
                            script=[((c,), 0, 63, 0, 0) for c in range(5)])
        corpus.add("2 and 5 components", b"".join(five), refusals="components")
        frame = Frame(planes(corpus, 3), FACTORS["444"])
        parts = writer.write(frame, height=0)
        parts.insert(-1, segment(0xDC, struct.pack(">H", frame.height)))
        corpus.add("height in DNL", b"".join(parts), refusals="DNL")
        for factors in (((3, 1), (2, 1), (1, 1)), ((3, 3), (2, 2), (1, 1)), ((1, 3), (1, 2), (1, 1))):
            each = [((c,), 0, 63, 0, 0) for c in range(3)]
            corpus.add("fractional sampling", b"".join(writer.write(Frame(planes(corpus, 3), factors), script=each)),
                       refusals="sampling")
        parts = writer.write(frame, before=[segment(0xDE, bytes(6) + b"\1\1\x11\0")])
        corpus.add("lossless, arithmetic, hierarchical, LS", b"".join(parts), refusals="hierarchical")
    corpus.add("more than 100 scans", b"".join(writer.write(frame, marker=0xC2, script=PROGRESSIVE["single"](3))),
               refusals="many scans")
