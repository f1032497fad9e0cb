#!/usr/bin/env python3
"""Opens pages of `fovea explain --html` in headless Chromium, moves their sliders, and looks.

usage: browser.py PROGRAM [--chromium NAME] [--keep FOLDER]

A command of its own, not one of the tests: it needs Debian's package chromium. --keep leaves the pages
and their screenshots (light, dark, narrow, without a script) in a folder.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pages import Failure, expect, make


class Browser:
    """One tab, spoken to over a pipe by Chromium's own protocol."""

    def __init__(self, chromium, folder):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def move():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        # Moved out of the way of 3 and 4.
        low = (theirs_in, theirs_out)
        theirs_in, theirs_out = (os.dup2(fd, fd + 100) for fd in low)
        self.process = subprocess.Popen(
            [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--no-first-run", "--disable-background-networking", f"--user-data-dir={folder}",
             "--window-size=1200,900", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            pass_fds=(3, 4, theirs_in, theirs_out), preexec_fn=move)
        for fd in (*low, theirs_in, theirs_out):
            os.close(fd)
        self.reader, self.writer = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self.number, self.session, self.events = 0, None, []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def message(self):
        out = bytearray()
        while (byte := self.reader.read(1)) != b"\0":
            expect(byte, "Chromium has ended")
            out += byte
        return json.loads(out)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.writer.write(json.dumps(message).encode() + b"\0")
        self.writer.flush()
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                expect("error" not in answer, f"{method}: {answer.get('error')}")
                return answer["result"]
            self.events.append(answer)

    def open(self, file):
        self.events.clear()
        self.call("Page.navigate", url=Path(file).resolve().as_uri())
        self.until("document.readyState === 'complete'")

    def wait(self, event):
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.message())

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        expect("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def until(self, condition):
        self.evaluate("new Promise((done, failed) => { let tries = 0; const look = () => {"
                      f"if ({condition}) done(true); else if (++tries > 300) failed(new Error('never')); "
                      "else setTimeout(look, 50); }; look(); })")

    def screenshot(self, file):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        Path(file).write_bytes(base64.b64decode(data))

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        logged = [e["params"]["entry"] for e in self.events if e.get("method") == "Log.entryAdded"]
        out = [entry["text"] for entry in logged if entry["level"] == "error"]
        return out + [str(e["params"]) for e in self.events if e.get("method") == "Runtime.exceptionThrown"]

    def close(self):
        self.writer.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.terminate()


def slide(browser, name, value):
    browser.evaluate(f"(() => {{ const s = document.getElementById('{name}'); s.value = {value};"
                     "s.dispatchEvent(new Event('input')); })()")


PIXELS = """(() => { const out = [...document.querySelectorAll('figure.map canvas')].map((c) => {
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let sum = 0;
  for (let i = 0; i < d.length; i += 4) sum += (i / 4 % 97 + 1) * (d[i] + 2 * d[i + 1] + 3 * d[i + 2]);
  return sum; }); return out; })()"""
PHOTO = """(() => { const p = document.getElementById('photo-1'); const c = document.createElement('canvas');
  c.width = p.naturalWidth; c.height = p.naturalHeight; const x = c.getContext('2d'); x.drawImage(p, 0, 0);
  const d = x.getImageData(0, 0, c.width, c.height).data; let sum = 0;
  for (let i = 0; i < d.length; i += 4) sum += (i / 4 % 97 + 1) * (d[i] + 2 * d[i + 1] + 3 * d[i + 2]);
  return sum; })()"""


GREY = """[...document.querySelectorAll('figure.map canvas')].map((c) => {
  const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  for (let i = 0; i < d.length; i += 4) if (d[i] !== d[i + 1] || d[i] !== d[i + 2]) return false;
  return true; })"""
PALE = "[...document.querySelectorAll('figure.map')].map((f) => f.dataset.under === 'pale')"


def check_alone(browser):
    asked = [url for url in browser.requests() if not url.startswith(("file:", "data:"))]
    expect(not asked, f"the page asks for {asked}")
    expect(not browser.complaints(), f"{browser.complaints()}")


def check_sliders(browser, maps):
    browser.until("!document.getElementById('controls').hidden")
    expect(len(browser.evaluate(PIXELS)) == maps, "canvases")
    photo = browser.evaluate(PHOTO)
    first = browser.evaluate(PIXELS)
    expect(all(sum_ != photo for sum_ in first), "nothing is drawn")
    slide(browser, "opacity", 0)
    pale, grey = browser.evaluate(PALE), browser.evaluate(GREY)
    expect(pale == grey, f"pale {pale}, grey {grey}")
    expect(all(p or sum_ == photo for p, sum_ in zip(pale, browser.evaluate(PIXELS))),
           "opacity 0 is not the photo")
    expect(not browser.evaluate("[...document.querySelectorAll('img.values')].some((i) => i.offsetHeight)"),
           "what the script reads is shown")
    expect(browser.evaluate("document.getElementById('opacity-value').textContent") == "0 %", "its value")
    slide(browser, "opacity", 100)
    full = browser.evaluate(PIXELS)
    expect(all(a != b for a, b in zip(full, first)), "opacity changes nothing")
    slide(browser, "threshold", 60)
    part = browser.evaluate(PIXELS)
    expect(all(a != b and a != photo for a, b in zip(part, full)), "threshold changes nothing")
    slide(browser, "threshold", 0)
    slide(browser, "opacity", 50)
    # By keys: the sliders are the page's first stops.
    browser.evaluate("document.activeElement.blur()")
    for _ in range(1):
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    expect(browser.evaluate("document.activeElement.id") == "opacity", "Tab leads elsewhere")
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key="ArrowRight", code="ArrowRight", windowsVirtualKeyCode=39)
    expect(browser.evaluate("document.getElementById('opacity').value") == "51", "arrows do nothing")
    slide(browser, "opacity", 50)


def check_names(browser):
    """What a screen reader would say."""
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    said = [(n.get("role", {}).get("value"), n.get("name", {}).get("value")) for n in nodes if not n.get("ignored")]
    sliders = [name for role, name in said if role == "slider"]
    expect([s.split()[0] for s in sliders] == ["Opacity", "Threshold"], sliders)
    pictures = [name for role, name in said if role in ("image", "img")]
    expect(pictures and all(pictures), f"pictures without names: {pictures}")
    expect(any("over the input" in name for name in pictures), pictures)


def check_without_script(browser, file, keep):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.events.clear()
    browser.call("Page.navigate", url=Path(file).resolve().as_uri())
    browser.wait("Page.loadEventFired")
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    expect(browser.evaluate("document.querySelectorAll('figure.map canvas').length") == 0, "a script ran")
    expect(browser.evaluate("[...document.querySelectorAll('img.overlay')].every((i) => i.naturalWidth > 0)"),
           "no static overlays")
    expect(browser.evaluate("document.getElementById('controls').offsetHeight") == 0, "sliders are shown")
    browser.screenshot(keep / "without-script.png")


def check(browser, program, keep):
    labels = keep / "labels.txt"
    labels.write_text("\n".join(f"<script>document.title='gone'</script> \u03b3\u03ac\u03c4\u03b1 {i}"
                                for i in range(1000)), encoding="utf-8")
    make(program, keep, "one.html", "--labels", labels)
    make(program, keep, "several.html", "--method", "gradcam,layercam,saliency,lrp")
    for name, maps in (("one", 1), ("several", 4)):
        for scheme in ("light", "dark"):
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            browser.open(keep / f"{name}.html")
            check_sliders(browser, maps)
            check_names(browser)
            check_alone(browser)
            expect(browser.evaluate("document.title") != "gone", "a label's script ran")
            browser.screenshot(keep / f"{name}-{scheme}.png")
    browser.call("Emulation.setDeviceMetricsOverride", width=360, height=800, deviceScaleFactor=1, mobile=True)
    browser.open(keep / "several.html")
    browser.until("!document.getElementById('controls').hidden")
    expect(browser.evaluate("document.documentElement.scrollWidth") <= 360, "wider than a narrow screen")
    browser.screenshot(keep / "narrow.png")
    browser.call("Emulation.clearDeviceMetricsOverride")
    check_without_script(browser, keep / "several.html", keep)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--keep")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        keep = Path(options.keep or scratch) / "."
        keep.mkdir(parents=True, exist_ok=True)
        browser = Browser(options.chromium, Path(scratch) / "profile")
        try:
            check(browser, Path(options.program).resolve(), keep.resolve())
        except Failure as failure:
            print(f"failed: {failure}")
            return 1
        finally:
            browser.close()
    print("the pages are as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
