"""Writes BMPs of every header (BITMAPCOREHEADER to BITMAPV5HEADER, OS/2 2.x), depth and compression."""
import struct

import numpy as np

RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS = range(7)


def file(height, width, bits, pixels, palette=b"", *, compression=RGB, gap=0, header=40, masks=None, top=False,
         used=0, offset=None, planes=1, tail=b""):
    """masks: of red, green, blue, alpha; part of headers of 52 bytes and more, after one of 40."""
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, planes, bits)
    else:
        head = struct.pack("<IiiHHIIiiII", header, width, -height if top else height, planes, bits, compression,
                           len(pixels), 2835, 2835, used, 0)[:header]
        given = struct.pack("<IIII", *(masks or (0, 0, 0, 0)))
        if header == 64:
            head += bytes(24)
        elif header >= 52:
            head += (given + bytes(header))[:header - 40]
        elif compression == BITFIELDS:
            head += given[:12]
        elif compression == ALPHA_BITFIELDS:
            head += given
    at = 14 + len(head) + len(palette) + gap
    start = struct.pack("<IHHI", at + len(pixels), 0, 0, at if offset is None else offset)
    return b"BM" + start + head + palette + bytes(gap) + pixels + tail


def palette_bytes(palette, entry=4):
    return b"".join(bytes([int(b), int(g), int(r)]) + bytes(entry - 3) for r, g, b in palette)


def padded(rows):
    """Rows of bytes, each filled up to a multiple of four."""
    return b"".join(bytes(r) + bytes(-len(bytes(r)) % 4) for r in rows)


def indexed(indices, bits):
    """(height, width) indices as packed rows, the first in the highest bits."""
    spread = indices.astype(np.uint8)[..., None] >> np.arange(bits - 1, -1, -1) & 1
    return padded(np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in spread)


def masked(pixels, masks, size):
    """(height, width, 3) of 8 bits as pixels of `size` bytes whose channels are in the masks, and the values
    of 8 bits that a reader must find: the high bits, repeated into the low ones."""
    values, seen = np.zeros(pixels.shape[:2], np.uint64), np.zeros_like(pixels)
    for channel, mask in enumerate(masks[:3]):
        if mask == 0:
            continue
        low = (mask & -mask).bit_length() - 1
        bits = mask.bit_length() - low
        value = pixels[..., channel].astype(np.uint64) * ((1 << bits) - 1) // 255
        values |= value << np.uint64(low)
        seen[..., channel] = widened(value, bits)
    return padded(row.astype(f"<u{size}").tobytes() for row in values), seen


def widened(value, bits):
    """A value of some bits as 8, so that all ones become 255: repetition of its bits."""
    out, have = value, bits
    while have < 8:
        out, have = out << np.uint64(bits) | value, have + bits
    return (out >> np.uint64(have - 8)).astype(np.uint8)


def literal(row, bits):
    """An absolute run of at least three indices, padded to an even number of bytes."""
    if bits == 8:
        body = bytes(row.astype(np.uint8))
    else:
        pairs = np.append(row, 0) if len(row) % 2 else row
        body = bytes((pairs[0::2] << 4 | pairs[1::2]).astype(np.uint8))
    return bytes([0, len(row)]) + body + bytes(len(body) % 2)


def run(row, bits):
    """The longest repetition at the start of a row: its length and its code."""
    count = 1
    while count < min(len(row), 255) and row[count] == row[0]:
        count += 1
    return count, bytes([count, int(row[0]) if bits == 8 else int(row[0]) << 4 | int(row[0])])


def runs(indices, bits, corpus, skip=0.0, last_end=True):
    """Run-length codes of rows from below, and the indices that a reader must find: 0 where a delta skips."""
    out, seen = [], indices.copy()
    for y, row in enumerate(indices):
        x = 0
        while x < len(row):
            if corpus.chance(skip):
                step = corpus.integer(1, min(20, len(row) - x))
                out.append(bytes([0, 2, step, 0]))
                seen[y, x:x + step] = 0
                x += step
                continue
            count, code = run(row[x:], bits)
            if count == 1 and len(row) - x >= 3 and corpus.chance(0.7):
                count = corpus.integer(3, min(len(row) - x, 255))
                code = literal(row[x:x + count], bits)
            out.append(code)
            x += count
        if y + 1 < len(indices) or last_end:
            out.append(b"\0\0")
    return b"".join(out) + b"\0\1", seen
