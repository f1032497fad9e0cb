#!/usr/bin/env python3
"""Checks the pages of `fovea explain --html` as they stand in their files.

usage: page_test.py PROGRAM
"""

import base64
import hashlib
import json
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import Failure, Page, expect, make, picture

HOSTILE = "<script>alert(1)</script> & \"quoted\" 'single' </title></pre> \u0635\u0648\u0631\u0629"


def digest(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def check_alone(text, page):
    """One file that asks nothing of anywhere, under a policy that would not let it."""
    policy = next(e["attributes"] for e in page.all("meta")
                  if e["attributes"].get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy["content"].split(";"))
    expect(rules["default-src"] == "'none'", rules)
    expect(rules["img-src"] == "data:", rules)
    expect(rules["base-uri"] == "'none'" and rules["form-action"] == "'none'", rules)
    style, script = page.one("style"), page.one("script")
    expect(rules["style-src"] == f"'{digest(style['text'])}'", f"style is {digest(style['text'])}")
    expect(rules["script-src"] == f"'{digest(script['text'])}'", f"script is {digest(script['text'])}")
    expect("unsafe" not in policy["content"], policy)
    for element in page.elements:
        tag, attributes = element["tag"], element["attributes"]
        expect(tag not in ("link", "iframe", "object", "embed", "form", "base", "a"), f"<{tag}>")
        for name, value in attributes.items():
            expect(not name.startswith("on"), f"<{tag} {name}>")
            expect(name not in ("href", "srcset", "style"), f"<{tag} {name}>")
            if name == "src":
                picture(value)
    expect(not re.search(r"url\(|@import", style["text"]), "the style asks for something")
    expect(not re.search(r"fetch|XMLHttp|import|eval|innerHTML", script["text"]), "the script does")
    bare = re.sub(r"data:image/\w+;base64,[A-Za-z0-9+/=]*", "", text)
    expect(not re.search(r"https?:|//\w+\.", bare), "an address in the page")


def check_usable(page):
    """For keyboards, for who does not see, and in either light."""
    expect(page.one("html")["attributes"]["lang"] == "en", "no language")
    for image in page.all("img"):
        alt = image["attributes"].get("alt")
        hidden = "hidden" in image["attributes"]
        expect(alt is not None and (hidden or alt), f"a picture without words: {alt}")
    for slider in page.all("input"):
        label = page.one("label", for_=slider["attributes"]["id"])
        expect(slider["attributes"]["type"] == "range" and label["text"].strip(), "a slider")
    expect("hidden" in page.one("div", id="controls")["attributes"], "sliders without a script")
    ids = [e["attributes"]["id"] for e in page.elements if "id" in e["attributes"]]
    expect(len(ids) == len(set(ids)), f"ids twice: {ids}")
    for element in page.elements:
        named = element["attributes"].get("aria-labelledby")
        expect(named is None or named in ids, f"nothing is called {named}")
    levels = [int(e["tag"][1]) for e in page.elements if re.fullmatch("h[1-6]", e["tag"])]
    expect(levels[0] == 1 and levels.count(1) == 1, levels)
    expect(all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels)
    expect("prefers-color-scheme: dark" in page.one("style")["text"], "light only")


def check_values(page, result):
    """What the JSON of the same call says."""
    target = result["target"]
    heading = page.one("h1")["text"]
    expect(str(target["class"]) in heading, f"{heading} of {target}")
    tables = page.all("table")
    expect(len(tables) == 1, "tables")
    for row in result["predictions"][:5]:
        expect(f"{row['probability']:.4f}" in tables[0]["text"], f"{row} in {tables[0]['text']}")
    figure = page.one("figure", class_="map")
    expect(result["layer"] in figure["text"], figure["text"])
    expect(figure["text"].lstrip().startswith(result["method"]), figure["text"])
    provenance = json.loads(page.one("pre")["text"])
    expect(provenance == result["provenance"], "another provenance")


def run(program, folder, *arguments):
    done = subprocess.run([str(program), *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_one(program, folder):
    text = make(program, folder, "one.html", "--json", "one.json")
    page = Page(text)
    check_alone(text, page)
    check_usable(page)
    check_values(page, json.loads((folder / "one.json").read_text()))
    overlay, kind = picture(page.one("img", class_="overlay")["attributes"]["src"])
    expect(kind == "jpeg" and overlay[:2] == b"\xff\xd8", "no overlay")
    levels, kind = picture(page.one("img", class_="values")["attributes"]["src"])
    expect(kind == "png" and levels[:8] == b"\x89PNG\r\n\x1a\n", "no levels")


def test_ends(program, folder):
    """The ends of the bar are the map's own values."""
    text = make(program, folder, "ends.html", "--feature-map", "map.npy")
    data = (folder / "map.npy").read_bytes()
    header = struct.unpack("<H", data[8:10])[0]
    values = struct.unpack(f"<{(len(data) - 10 - header) // 4}f", data[10 + header:])
    figure = Page(text).one("figure", class_="map")["attributes"]
    expect(float(figure["data-low"]) == 0, figure)
    expect(abs(float(figure["data-high"]) / max(values) - 1) < 1e-6, f"{figure} of {max(values)}")


def test_several(program, folder):
    text = make(program, folder, "several.html", "--method", "gradcam,saliency,lrp", "--top", "2")
    page = Page(text)
    check_alone(text, page)
    check_usable(page)
    figures = page.all("figure", class_="map")
    expect(len(figures) == 6, f"{len(figures)} maps")
    expect(len(page.all("img", class_="overlay")) == 6, "overlays")
    expect(any(float(f["attributes"]["data-low"]) < 0 for f in figures), "no signed map")


def test_hostile_labels(program, folder):
    labels = folder / "labels.txt"
    labels.write_text("\n".join(f"{HOSTILE} {i}" for i in range(1000)) + "\n", encoding="utf-8")
    text = make(program, folder, "hostile.html", "--labels", labels, "--caption")
    page = Page(text)
    check_alone(text, page)
    check_usable(page)
    expect(HOSTILE in page.one("h1")["text"], page.one("h1")["text"])
    expect(HOSTILE in page.one("title")["text"], "the title")
    expect(page.all("h1")[0]["attributes"]["dir"] == "auto", "its direction")
    expect(len(page.all("script")) == 1, "a script more")
    labels.write_bytes(b"\xff\xfe bad \xc3\n" * 1000)
    expect("\ufffd" in Page(make(program, folder, "bad.html", "--labels", labels)).one("h1")["text"],
           "what is no UTF-8")


def test_no_provenance(program, folder):
    page = Page(make(program, folder, "none.html", "--no-provenance"))
    expect(not page.all("pre"), "provenance all the same")


def test_replay(program, folder):
    """The provenance of a page makes it again."""
    text = make(program, folder, "first.html", "--method", "layercam", "--preprocess", "imagenet",
                "--json", "first.json")
    again = make(program, folder, "second.html", "--replay", "first.json")
    expect(text == again, "another page")


def test_refusals(program, folder):
    for name in ("page.txt", "page.png"):
        status, _, errors = run(program, folder, "explain", "--html", name)
        expect(status == 2 and ".html" in errors, f"{status}: {errors}")
        expect(not (folder / name).exists(), name)


def main(program):
    failed = 0
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(Path(program).resolve(), Path(folder))
            except Failure as failure:
                failed += 1
                print(f"{test.__name__}: {failure}")
    print(f"{len(tests) - failed} of {len(tests)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
