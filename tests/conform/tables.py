"""CSV: quotes, line ends, delimiters, encodings and long cells, and tables that must be refused."""
REFUSALS = {
    "quote": r'line \d+: a quote \("\) is out of place or never closed',
    "fields": r"line \d+: (fewer|more) fields than the \d+ of the header",
    "zero bytes": r"holds zero bytes \(UTF-16\?\); save it as UTF-8",
    "UTF-8": r"(line \d+: column .* is not UTF-8|the name of column \d+ is not UTF-8); save the table as UTF-8",
    "twice": r"columns \d+ and \d+ are both called '.*'; rename one",
    "empty": r"empty; a header line is expected",
    "row": r"line \d+: a row of more than 1024 kB; is a quote missing\?",
    "columns": r"line \d+: more than 4096 columns",
}
QUIRK_SPACES = "spaces around an unquoted cell are no part of it; Python's csv module keeps them"
QUIRK_BLANK = "a line of spaces is blank; to Python's csv module it is a cell"
QUIRK_FEED = "a table may begin with empty lines"
TEXTS = ["a", "b c", "",
         "0", "-1.5e3", "naïve", "日本", "x" * 300, "C:\\images\\1.png", "/data/1.png", "it's", "#", "a/b"]
SPECIAL = ['say "x"', '"', '""', "a,b", "a;b", "a\tb", "two\nlines", "two\r\nlines", ",", "\n", " lead", "trail ", "  "]


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def needs_quotes(text, delimiter):
    return any(c in text for c in '"\r\n' + delimiter) or text != text.strip(" \t")


def write(rows, delimiter=",", end="\n", always=False, last=True):
    """The text of a table; `end` may be a function of the row's number."""
    out = []
    for number, row in enumerate(rows):
        cells = [quoted(c) if always or needs_quotes(c, delimiter) else c for c in row]
        out.append(delimiter.join(cells) + (end(number) if callable(end) else end))
    text = "".join(out)
    return text if last else text.rstrip("\r\n")


def random_rows(corpus, special=0.3, columns=None):
    """A header of distinct names and up to 12 rows; the first column is never empty, so that no row is blank."""
    n, texts = columns or corpus.integer(2, 7), TEXTS + SPECIAL
    rows = [[f"column {i}" for i in range(n)]]
    for number in range(corpus.integer(0, 12)):
        pick = [corpus.integer(0, len(texts if corpus.chance(special) else TEXTS) - 1) for _ in range(n - 1)]
        rows.append([f"{number}.png"] + [texts[i] for i in pick])
    return rows


def add_layouts(corpus):
    for delimiter in ",;\t":
        for name, end in (("LF", "\n"), ("CRLF", "\r\n"), ("CR", "\r"),
                          ("mixed", lambda i: ("\n", "\r\n", "\r")[i % 3])):
            for always in (False, True):
                for last in (False, True):
                    for mark in (b"", b"\xef\xbb\xbf"):
                        for _ in range(3):
                            rows = random_rows(corpus)
                            text = write(rows, delimiter, end, always, last)
                            corpus.add(f"quotes and delimiters, {name}", mark + text.encode(), rows)


def add_spaces(corpus):
    for _ in range(20):
        rows = random_rows(corpus, 0.0)
        text = "\n".join(" , ".join(f"{c}  " for c in row) for row in rows) + "\n"
        corpus.add("spaces around cells", text.encode(), rows, quirk=QUIRK_SPACES)
        lines = write(rows, end="\n\n")
        corpus.add("empty lines", lines.encode(), rows)
        corpus.add("empty lines", ("\n\n" + write(rows, end="\r\n\r\n") + "\n\n").encode(), rows, quirk=QUIRK_FEED)
        corpus.add("lines of spaces", (write(rows) + "   \n").encode(), rows, quirk=QUIRK_BLANK)
        rows = random_rows(corpus, columns=1)
        corpus.add("one column", write(rows).encode(), rows)
        empty = [["a", "b"], ["", ""], ["", "x"]]
        corpus.add("empty cells", write(empty).encode(), empty)
        corpus.add("empty cells", write(empty, always=True, last=False).encode(), empty)


def add_lengths(corpus):
    for length in (1000, 65535, 65536, 65537, 200000, 1000000):
        rows = [["image", "label"], ["1.png", "x" * length], ["2.png", ("é\n\"" * length)[:length // 4]]]
        corpus.add("long cells", write(rows).encode(), rows)
    wide = [[f"c{i}" for i in range(4096)], [str(i) for i in range(4096)]]
    corpus.add("4096 columns", write(wide).encode(), wide)
    corpus.add("4097 columns", write([row + ["x"] for row in wide]).encode(), refusals="columns")
    many = [["image", "label"]] + [[f"{i}.png", str(i % 7)] for i in range(30000)]
    corpus.add("30,000 rows", write(many).encode(), many)
    corpus.add("row of more than 1 MB", write([["a", "b"], ["x" * 1200000, "y"]]).encode(), refusals="row")
    corpus.add("row of more than 1 MB", b'a,b\n"never closed' + b"x\n" * 700000, refusals=("row", "quote"))


def add_encodings(corpus):
    for _ in range(10):
        rows = [["image", "label"], ["1.png", "Nävus"], ["2.png", "b"]]
        text = write(rows, ";" if corpus.chance(0.5) else ",")
        corpus.add("Latin-1", text.encode("latin-1"), refusals="UTF-8")
        corpus.add("Latin-1 in the header", b"im\xe9ge,label\n1.png,a\n", refusals="UTF-8")
        for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            corpus.add("UTF-16 and UTF-32", text.encode(name), refusals="zero bytes")
        at = corpus.integer(0, len(text) - 1)
        corpus.add("zero byte", text[:at].encode() + b"\0" + text[at:].encode(), refusals="zero bytes")
        for wrong in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82"):
            corpus.add("malformed UTF-8", b"image,label\n1.png," + wrong + b"\n", refusals="UTF-8")


def add_refused(corpus):
    for _ in range(20):
        rows = random_rows(corpus)
        rows.append(["one.png"] * (len(rows[0]) + (1 if corpus.chance(0.5) else -1)))
        corpus.add("rows of other lengths", write(rows + random_rows(corpus, columns=len(rows[0]))).encode(),
                   refusals="fields")
    for text in ('a,b\n1,"x\n', 'a,b\n1,"x"y\n', 'a,b\n"x" "y",1\n', 'a,"b\n1,2\n', '"a,b\n1,2', 'a,b\n1,x"y"\n'):
        corpus.add("quotes out of place", text.encode(), refusals="quote")
    for text in ("", "\n\n\n", "\r\n", "\ufeff", "\ufeff\n", "   \n"):
        corpus.add("no header", text.encode(), refusals="empty")
    for names in ("a,a", "a,b,a", ",,"):
        corpus.add("two columns of one name", (names + "\n" + names + "\n").encode(), refusals="twice")


def make(corpus):
    for add in (add_layouts, add_spaces, add_lengths, add_encodings, add_refused):
        add(corpus)
