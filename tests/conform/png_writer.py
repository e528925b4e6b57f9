"""Writes PNGs chunk by chunk (W3C PNG, third edition, §5, §7, §9): any type, depth, filter and interlacing."""
import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def chunk(name, body=b""):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(height, width, colour, depth, interlaced=0, compression=0, filtering=0):
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, compression, filtering, interlaced))


def packed(line, depth):
    """The samples of one row as bytes, the first sample in the highest bits."""
    flat = line.reshape(-1)
    if depth == 16:
        return np.frombuffer(flat.astype(">u2").tobytes(), np.uint8)
    if depth == 8:
        return flat.astype(np.uint8)
    bits = flat.astype(np.uint8)[:, None] >> np.arange(depth - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8).reshape(-1))


def predicted(kind, current, above, step):
    """What filter `kind` subtracts from each byte of a row."""
    left = np.concatenate([np.zeros(step, int), current])[:len(current)]
    corner = np.concatenate([np.zeros(step, int), above])[:len(current)]
    if kind == 4:
        p = left + above - corner
        a, b, c = abs(p - left), abs(p - above), abs(p - corner)
        return np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))
    return [0 * current, left, above, (left + above) // 2][kind]


def filtered(samples, depth, choose):
    """The rows of one pass, each after its filter byte, which choose(row) returns."""
    if 0 in samples.shape[:2]:
        return b""
    step = max(1, samples.shape[2] * depth // 8)
    out, above = [], None
    for y, line in enumerate(samples):
        current = packed(line, depth).astype(int)
        above = np.zeros_like(current) if above is None else above
        kind = choose(y)
        out.append(bytes([kind]) + (current - predicted(kind, current, above, step) & 255).astype(np.uint8).tobytes())
        above = current
    return b"".join(out)


def scanlines(samples, depth, interlaced, choose):
    """All bytes before compression; samples (height, width, channels)."""
    if not interlaced:
        return filtered(samples, depth, choose)
    return b"".join(filtered(samples[y::dy, x::dx], depth, choose) for y, x, dy, dx in ADAM7)


def deflate(data, level=6, window=15, strategy=zlib.Z_DEFAULT_STRATEGY):
    packer = zlib.compressobj(level, zlib.DEFLATED, window, 8, strategy)
    return packer.compress(data) + packer.flush()


def split(data, cuts):
    """The data as IDAT chunks that end at these positions; equal positions make a chunk without bytes."""
    ends = sorted(cuts) + [len(data)]
    return [chunk(b"IDAT", data[a:b]) for a, b in zip([0] + ends, ends)]


def assemble(start, before=(), idat=(), after=(), end=True):
    return SIGNATURE + start + b"".join(before) + b"".join(idat) + b"".join(after) + (chunk(b"IEND") if end else b"")


def chunks(data):
    """(position, name, length of the body) of each chunk."""
    out, at = [], 8
    while at + 12 <= len(data):
        length, = struct.unpack(">I", data[at:at + 4])
        out.append((at, data[at + 4:at + 8], length))
        at += length + 12
    return out


def colours(samples, colour, depth, palette=None):
    """The RGB pixels that samples (height, width, channels) are: the high byte of 16 bits, fewer than 8
    spread to 0 … 255, alpha dropped."""
    if colour == 3:
        whole = np.zeros((256, 3), np.uint8)
        whole[:len(palette)] = palette
        return whole[samples[..., 0]]
    of = samples[..., :3] if colour & 2 else np.repeat(samples[..., :1], 3, 2)
    return (of >> 8 if depth == 16 else of * 255 // ((1 << depth) - 1)).astype(np.uint8)
