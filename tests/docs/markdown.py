"""Finds what the documentation promises to work, and a folder to try it in.

A fenced block right below one of these comments, which readers do not see, is checked:
  <!-- example: NAME.cpp -->   a whole C++ program, built against an installed fovea and run
  <!-- run -->                 shell commands, run from the repository's root
"""

import re
from pathlib import Path

_BLOCK = re.compile(
    r"^<!-- *(?P<mark>run|example: *(?P<name>[\w.-]+)) *-->\n+```(?P<language>\w+)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"^<!-- *(run\b|example:)", re.MULTILINE)


def documents(root):
    root = Path(root)
    return [path for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
            if path.is_file()]


def _blocks(text):
    blocks = list(_BLOCK.finditer(text))
    if len(blocks) != len(_MARK.findall(text)):
        raise ValueError("a <!-- run --> or <!-- example: --> without a fenced block below it")
    return blocks


def examples(text):
    """{file name: C++ program}"""
    found = {}
    for block in _blocks(text):
        if block["name"]:
            if block["language"] != "cpp" or block["name"] in found:
                raise ValueError(f"example {block['name']}: not a cpp block, or named twice")
            found[block["name"]] = block["code"]
    return found


def commands(text):
    """The marked shell snippets, in order."""
    found = [block for block in _blocks(text) if block["mark"] == "run"]
    if any(block["language"] != "sh" for block in found):
        raise ValueError("a <!-- run --> block that is not sh")
    return [block["code"] for block in found]


def playground(root, binary_dir, folder):
    """Makes `folder` look like the repository's root, so that files written beside README.md land
    in it instead.

    build/release is the build under test, whatever its name.
    """
    folder = Path(folder)
    (folder / "build").mkdir(parents=True)
    (folder / "build/release").symlink_to(binary_dir, target_is_directory=True)
    for entry in Path(root).iterdir():
        if entry.name != "build":
            (folder / entry.name).symlink_to(entry)
    return folder
