"""CSV as a data set: the order of classes, labels that are numbers, and the ways to name an image."""
import os

from PIL import Image

from cases import encode, picture
from tables import write

REFUSALS = {
    "twice": r"columns \d+ and \d+ are both called '.*'; rename one",
    "image twice": r"listed twice",
    "label": r"label is empty|empty label|the label",
    "no column": r"no column 'label'; its columns are",
    "missing": r"no image|no such file|not found|not there|is not in",
    "outside": r"image \.\./.* is outside .*; name its folder in data\.images",
    "UTF-8": r"is not UTF-8; save the table as UTF-8",
}


def images(corpus, count=12):
    """PNGs a/0.png, b/1.png, a/2.png … below the folder of the tables; their names."""
    names = [f"{'ab'[i % 2]}/{i}.png" for i in range(count)]
    for folder in "ab":
        os.makedirs(os.path.join(corpus.folder, "images", folder), exist_ok=True)
    for name in names:
        with open(os.path.join(corpus.folder, "images", name), "wb") as file:
            file.write(encode(Image.fromarray(picture(corpus, 8, 8) ^ corpus.integer(0, 255)), "PNG"))
    return names


def truth(classes, names, labels):
    """What read_files.lua prints: the classes, an empty text, then name and class in the order of the names."""
    return classes + [""] + [text for pair in sorted(zip(names, labels)) for text in pair]


# Labels of twelve images, each listed twice, and the classes in their order: numbers by value, also inside of texts,
# and others by their bytes.
ORDERS = [
    (["10", "9", "2", "1", "0", "2"], ["0", "1", "2", "9", "10"]),
    (["-1", "0", "1", "-10", "1", "0"], ["-10", "-1", "0", "1"]),
    (["0.5", "10", "1.5", "0.5", "10", "1.5"], ["0.5", "1.5", "10"]),
    (["b", "a", "c", "a", "B", "A"], ["A", "B", "a", "b", "c"]),
    (["level 10", "level 9", "level 2", "level 2", "level 9", "level 10"], ["level 2", "level 9", "level 10"]),
    (["nævus", "melanoma", "nævus", "日本", "日本", "melanoma"], ["melanoma", "nævus", "日本"]),
    (["a,b", 'say "x"', "a,b", "two\nlines", 'say "x"', "two\nlines"], ["a,b", 'say "x"', "two\nlines"]),
    (["1e3", "20", "1e3", "20", "3", "3"], ["3", "20", "1e3"]),
]


def add_orders(corpus, names):
    for half, classes in ORDERS:
        labels = half * 2
        for delimiter in ",;\t":
            for always in (False, True):
                rows = [["image", "label"]] + [list(pair) for pair in zip(names, labels)]
                corpus.add("order of the classes", write(rows, delimiter, always=always).encode(),
                           truth(classes, names, labels))


def add_names(corpus, names):
    labels = ["x", "y"] * 6
    absolute = os.path.join(os.path.abspath(corpus.folder), "images")
    spellings = {
        "names of images: with folders": lambda n: n,
        "names of images: ./ in front": lambda n: "./" + n,
        "names of images: backslashes": lambda n: n.replace("/", "\\"),
        "names of images: absolute": lambda n: f"{absolute}/{n}",
    }
    for family, spell in spellings.items():
        for end in ("\n", "\r\n"):
            written = [spell(n) for n in names]
            rows = [["image", "label"]] + [list(pair) for pair in zip(written, labels)]
            corpus.add(family, write(rows, end=end).encode(), truth(["x", "y"], written, labels))


def add_refused(corpus, names):
    rows = [["image", "label"]] + [[n, "xy"[i % 2]] for i, n in enumerate(names)]
    corpus.add("two columns of one name", write([r + [r[1]] for r in rows]).encode(), refusals="twice")
    corpus.add("no column of labels", write([["image", "class"]] + rows[1:]).encode(), refusals="no column")
    corpus.add("an image listed twice", write(rows + rows[1:2]).encode(), refusals="image twice")
    corpus.add("an image that is not there", write(rows + [["c/9.png", "x"]]).encode(), refusals="missing")
    corpus.add("an empty label", write(rows[:-1] + [[names[-1], ""]]).encode(), refusals="label")
    corpus.add("a path out of the folder", write(rows[:-1] + [["../../../../../etc/passwd", "x"]]).encode(),
               refusals="outside")
    corpus.add("labels in Latin-1", write(rows[:-1] + [[names[-1], "nævus"]]).encode("latin-1"), refusals="UTF-8")


def make(corpus):
    names = images(corpus)
    for add in (add_orders, add_names, add_refused):
        add(corpus, names)
