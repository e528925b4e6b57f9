"""Writes JPEGs (ITU T.81) of any sampling factors, scan script, restart interval and table precision, as
segments in a list, so that a variant is a change of the list."""
import struct

import numpy as np

ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, (i // 8 if (i // 8 + i % 8) % 2 else i % 8)))
COSINE = np.array([[np.cos((2 * x + 1) * u * np.pi / 16) * (np.sqrt(0.125) if u == 0 else 0.5) for x in range(8)]
                   for u in range(8)])
SEQUENTIAL = ((None, 0, 63, 0, 0),)
SOI, EOI = b"\xff\xd8", b"\xff\xd9"


def segment(marker, body=b""):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def adobe(transform):
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


def quantised(plane, step):
    """(rows, columns, 64) coefficients in zigzag order of a plane whose sides are multiples of 8."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    blocks = plane.reshape(rows, 8, columns, 8).swapaxes(1, 2) - 128.0
    flat = (COSINE @ blocks @ COSINE.T).reshape(rows, columns, 64)
    return np.rint(flat[..., ZIGZAG] / step).astype(int)


class Frame:
    """The coefficients of planes (height, width), one per component, with their factors (h, v)."""

    def __init__(self, planes, factors, step=8):
        self.height, self.width = planes[0].shape
        self.factors, self.step = factors, step
        self.most = max(h for h, _ in factors), max(v for _, v in factors)
        self.mcus = -(-self.height // (8 * self.most[1])), -(-self.width // (8 * self.most[0]))
        self.blocks = [self.component(p.astype(float), f) for p, f in zip(planes, factors)]

    def component(self, plane, factor):
        """Pads to whole MCUs, and takes every n-th sample where the component has fewer."""
        tall, wide = self.mcus[0] * self.most[1] * 8, self.mcus[1] * self.most[0] * 8
        whole = np.pad(plane, ((0, tall - self.height), (0, wide - self.width)), "edge")
        rows = np.arange(self.mcus[0] * factor[1] * 8) * self.most[1] // factor[1]
        columns = np.arange(self.mcus[1] * factor[0] * 8) * self.most[0] // factor[0]
        return quantised(whole[rows][:, columns], self.step)

    def units(self, which):
        """The blocks of each MCU of a scan: lists of (component, row, column)."""
        if len(which) == 1:
            c, (h, v) = which[0], self.factors[which[0]]
            rows = -(-(-(-self.height * v // self.most[1])) // 8)
            columns = -(-(-(-self.width * h // self.most[0])) // 8)
            return [[(c, y, x)] for y in range(rows) for x in range(columns)]
        return [[(c, my * self.factors[c][1] + y, mx * self.factors[c][0] + x) for c in which
                 for y in range(self.factors[c][1]) for x in range(self.factors[c][0])]
                for my in range(self.mcus[0]) for mx in range(self.mcus[1])]


def extra(value):
    """The size category of a value and its additional bits."""
    size = int(abs(value)).bit_length()
    return size, (value if value > 0 else value + (1 << size) - 1) if size else 0


def down(value, low):
    """The division of a coefficient by 2^low, towards zero."""
    return int(abs(value)) >> low if value > 0 else -(int(abs(value)) >> low)


def code_dc(value, before, high, low):
    """(table, symbol, additional bits, their number) of a DC coefficient; table None: bits alone."""
    if high:
        return [(None, 0, int(value) >> low & 1, 1)]
    size, bits = extra((int(value) >> low) - before)
    return [(0, size, bits, size)]


def code_ac(block, first, last, low):
    out, zeros = [], 0
    for k in range(first, last + 1):
        value = down(block[k], low)
        if value == 0:
            zeros += 1
            continue
        out += [(1, 0xF0, 0, 0)] * (zeros // 16)
        size, bits = extra(value)
        out.append((1, zeros % 16 << 4 | size, bits, size))
        zeros = 0
    return out + ([(1, 0, 0, 0)] if zeros else [])


def refine_ac(block, first, last, low):
    """T.81 G.1.2.3 with a run of one block at its end."""
    level = [int(abs(v)) >> low for v in block]
    newest = max((k for k in range(first, last + 1) if level[k] == 1), default=-1)
    out, waiting, zeros = [], [], 0
    for k in range(first, last + 1):
        if level[k] == 0:
            zeros += 1
            continue
        while zeros > 15 and k <= newest:
            out += [(1, 0xF0, 0, 0)] + waiting
            waiting, zeros = [], zeros - 16
        if level[k] > 1:
            waiting.append((None, 0, level[k] & 1, 1))
            continue
        out += [(1, zeros << 4 | 1, int(block[k] > 0), 1)] + waiting
        waiting, zeros = [], 0
    return out + ([(1, 0, 0, 0)] + waiting if zeros or waiting else [])


def code_scan(frame, which, first, last, high, low, restart):
    """Lists of codes, one per restart interval."""
    out, before = [], {}
    for count, unit in enumerate(frame.units(which)):
        if count == 0 or (restart and count % restart == 0):
            out.append([])
            before = dict.fromkeys(which, 0)
        for c, y, x in unit:
            block = frame.blocks[c][y, x]
            if first == 0:
                out[-1] += code_dc(block[0], before[c], high, low)
                before[c] = int(block[0]) >> low
            if last > 0:
                start = max(first, 1)
                out[-1] += (refine_ac if high else code_ac)(block, start, last, low)
    return out


def tables(codes):
    """Huffman tables with codes of one length for the symbols that occur, and their DHT segment."""
    body, book = b"", {}
    for kind in (0, 1):
        symbols = sorted({s for part in codes for t, s, _, _ in part if t == kind}) or [0]
        size = len(symbols).bit_length()
        counts = [0] * 16
        counts[size - 1] = len(symbols)
        body += bytes([kind << 4]) + bytes(counts) + bytes(symbols)
        book[kind] = {s: (i, size) for i, s in enumerate(symbols)}
    return book, segment(0xC4, body)


def entropy(codes, book):
    """The bytes of a scan: bits filled up with ones, FF followed by 00, restart markers in between."""
    out = b""
    for count, part in enumerate(codes):
        bits = []
        for kind, symbol, value, size in part:
            if kind is not None:
                code, length = book[kind][symbol]
                bits.append(format(code, f"0{length}b"))
            if size:
                bits.append(format(value, f"0{size}b"))
        text = "".join(bits)
        text += "1" * (-len(text) % 8)
        data = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0") if text else b""
        out += (bytes([0xFF, 0xD0 + (count - 1) % 8]) if count else b"") + data
    return out


def write(frame, *, marker=0xC0, script=SEQUENTIAL, restart=0, before=(), ids=(1, 2, 3, 4, 5), wide=False, precision=8,
          height=None):
    """The list of segments. script: (components or None for all, Ss, Se, Ah, Al) per scan. before: segments in
    front. wide: quantisation tables of 16 bits."""
    n = len(frame.factors)
    step = struct.pack(">H", frame.step) if wide else bytes([frame.step])
    out = [SOI, *before, segment(0xDB, bytes([0x10 if wide else 0]) + step * 64)]
    fields = b"".join(bytes([ids[c], h << 4 | v, 0]) for c, (h, v) in enumerate(frame.factors))
    tall = frame.height if height is None else height
    out.append(segment(marker, struct.pack(">BHHB", precision, tall, frame.width, n) + fields))
    if restart:
        out.append(segment(0xDD, struct.pack(">H", restart)))
    for which, first, last, high, low in script:
        which = tuple(range(n)) if which is None else which
        codes = code_scan(frame, which, first, last, high, low, restart)
        book, dht = tables(codes)
        chosen = b"".join(bytes([ids[c], 0]) for c in which)
        sos = segment(0xDA, bytes([len(which)]) + chosen + bytes([first, last, high << 4 | low]))
        out += [dht, sos + entropy(codes, book)]
    return out + [EOI]
