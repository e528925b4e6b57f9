"""Compares what aniso made of each case with what the case and an independent decoder have, and counts."""
import collections
import re

import numpy as np

from cases import Case

COLUMNS = ("equal", "both refuse", "only aniso refuses", "only the other refuses", "differ", "unexpected")


def same(a, b, tolerance):
    """Equality of pixels, of rows of texts, or of tensors by name (NaN equals NaN)."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(
            x.shape == b[name].shape and np.array_equal(x, b[name], equal_nan=x.dtype.kind == "f")
            for name, x in a.items())
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and (a.size == 0 or abs(a.astype(int) - b.astype(int)).max() <= tolerance)
    return a == b


class Outcome:
    """What became of one case: a column of the table, the name of the refusal, and a fault for the report."""

    def __init__(self, column, refusal="", fault="", wrong_pixels=None):
        self.column, self.refusal, self.fault, self.wrong_pixels = column, refusal, fault, wrong_pixels


def judge_refusal(case, message, other, patterns):
    for name in case.refusals:
        if re.search(patterns[name], message):
            return Outcome("both refuse" if isinstance(other, Exception) else "only aniso refuses", name)
    expected = " or ".join(case.refusals) or "to be read"
    return Outcome("unexpected", fault=f"expected {expected}, but: {message}")


def judge(case, ours, other, patterns):
    """ours: the content, or the message of the refusal; other: the content, or the decoder's exception."""
    refuses = isinstance(other, Exception)
    if isinstance(ours, str):
        return judge_refusal(case, ours, other, patterns)
    if case.refusals and not case.silent:
        return Outcome("differ", fault=f"read, although it must be refused ({' or '.join(case.refusals)})")
    if case.truth is not None:
        if not same(case.truth, ours, 0):
            return Outcome("differ", fault="read with other content than it was written with")
        if not refuses and not case.quirk and not same(case.truth, other, case.apart):
            return Outcome("differ", fault="the other decoder reads other content than was written")
        return Outcome("only the other refuses" if refuses else "equal")
    if refuses:
        return Outcome("differ", fault=f"read, but the other decoder refuses it: {other}")
    wrong = None if case.original is None else not same(case.original, ours, 0)
    if same(other, ours, case.apart):
        return Outcome("equal", wrong_pixels=wrong)
    return Outcome("differ", fault="the other decoder reads other content")


def check_itself():
    """Each kind of fault, planted, must be detected, and what is right must pass."""
    a, b, refused = np.zeros((1, 2, 3), np.uint8), np.ones((1, 2, 3), np.uint8), ValueError("damaged")
    patterns = {"cut": "truncated", "other": "unknown"}

    def column(ours, other, **case):
        return judge(Case("planted", b"", "", **case), ours, other, patterns).column
    planted = [
        (column(a, a), "equal"), (column(a, b), "differ"), (column(a, b[:, :1]), "differ"),
        (column(a, refused), "differ"), (column(a, refused, truth=a), "only the other refuses"),
        (column(b, a, truth=a), "differ"), (column(a, b, truth=a), "differ"),
        (column(a, b, truth=a, quirk="q"), "equal"),
        (column(a, b, truth=a, apart=1), "equal"), (column(b, b, truth=a, quirk="q"), "differ"),
        (column(a, a, refusals=("cut",)), "differ"), (column(a, a, refusals=("cut",), silent=True), "equal"),
        (column("truncated", a), "unexpected"), (column("truncated", a, refusals=("other",)), "unexpected"),
        (column("truncated", a, refusals=("cut",)), "only aniso refuses"),
        (column("truncated", refused, refusals=("other", "cut")), "both refuse"),
    ]
    for number, (found, expected) in enumerate(planted):
        assert found == expected, f"planted case {number}: {found}, expected {expected}"


class Table:
    """Counts per format and family, and the faults."""

    def __init__(self):
        self.rows, self.reasons, self.faults, self.silent = {}, {}, {}, {}

    def count(self, kind, case, outcome):
        key = (kind, case.family)
        self.rows.setdefault(key, collections.Counter())[outcome.column] += 1
        if outcome.refusal:
            self.reasons.setdefault(key, collections.Counter())[outcome.refusal] += 1
        if outcome.fault:
            self.faults.setdefault(f"{kind}, {case.family}: {outcome.fault}", []).append(case.path)
        if case.silent:
            self.silent.setdefault(key, []).append(outcome.wrong_pixels)

    def total(self, *columns):
        return sum(row[c] for row in self.rows.values() for c in columns)

    def print(self):
        wide = max(len(family) for _, family in self.rows)
        head = ("files",) + COLUMNS
        print(f"{'format':12s} {'variant':{wide}s}  " + "  ".join(head) + "  reasons of refusals")
        for (kind, family), row in self.rows.items():
            numbers = [sum(row.values())] + [row[c] for c in COLUMNS]
            cells = "  ".join(f"{n or '.':>{len(h)}}" for n, h in zip(numbers, head))
            reasons = ", ".join(f"{name} {n}" for name, n in self.reasons.get((kind, family), {}).items())
            print(f"{kind:12s} {family:{wide}s}  {cells}  {reasons}".rstrip())
        print()

    def print_faults(self):
        """Each kind of fault once, with the first file."""
        for fault, paths in self.faults.items():
            print(f"fault: {fault}: {len(paths)} files, such as {paths[0]}")

    def print_silent(self):
        """The share of damage that the format cannot show."""
        for (kind, family), seen in self.silent.items():
            wrong, read = sum(w is True for w in seen), sum(w is not None for w in seen)
            print(f"{kind}, {family}: {len(seen)} files, {len(seen) - read} refused, {read} read, {wrong} of them "
                  f"({100 * wrong / len(seen):.1f} %) with wrong content, which the format has no checksum to show")
