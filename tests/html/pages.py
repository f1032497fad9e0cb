"""Makes pages by the program, and takes them apart."""

import base64
import subprocess
from html.parser import HTMLParser
from pathlib import Path

# Elements that have no end.
VOID = {"meta", "img", "input", "br", "hr", "link"}


class Failure(Exception):
    pass


def expect(condition, problem):
    if not condition:
        raise Failure(problem)


def make(program, folder, name, *arguments):
    """A page of `fovea explain`, as text."""
    file = Path(folder) / name
    done = subprocess.run([str(program), "explain", "--html", str(file), *map(str, arguments)],
                          cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    expect(done.returncode == 0, f"{arguments}: {done.stdout.decode(errors='replace')}")
    return file.read_bytes().decode("utf-8")


class Page(HTMLParser):
    """Every element with its attributes and its own text; a Failure for ends that do not fit."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.open = []
        self.feed(text)
        self.close()
        expect(not self.open, f"left open: {[e['tag'] for e in self.open]}")

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        expect(len(set(names)) == len(names), f"<{tag}> has an attribute twice: {names}")
        element = {"tag": tag, "attributes": dict(attrs), "text": "",
                   "inside": [e["tag"] for e in self.open]}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        expect(self.open and self.open[-1]["tag"] == tag,
               f"</{tag}> ends {[e['tag'] for e in self.open]}")
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [e for e in self.elements if e["tag"] == tag and
                all(e["attributes"].get(name.rstrip("_")) == value
                    for name, value in attributes.items())]

    def one(self, tag, **attributes):
        found = self.all(tag, **attributes)
        expect(len(found) == 1, f"{len(found)} <{tag}> with {attributes}")
        return found[0]


def picture(source):
    """The bytes of a data URI, and their type."""
    head, _, data = source.partition(";base64,")
    expect(head.startswith("data:image/"), f"not data: {source[:60]}")
    return base64.b64decode(data, validate=True), head.removeprefix("data:image/")
