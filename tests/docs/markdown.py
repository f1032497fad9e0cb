"""Finds what the documentation promises to work, and a folder to try it in.

A fenced block right below one of these comments, which readers do not see, is checked:
  <!-- example: NAME.cpp -->   a whole C++ program (NAME.c: C), built against an installed fovea and run
  <!-- run -->                 shell commands, run from the repository's root
  <!-- python -->              Python, compiled, and run where its packages are installed
  <!-- dockerfile -->          a Dockerfile, whose commands the shell reads
"""

import re
from pathlib import Path

_BLOCK = re.compile(
    r"^<!-- *(?P<mark>run|python|dockerfile|example: *(?P<name>[\w.-]+)) *-->\n+```(?P<language>\w+)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"^<!-- *(run\b|python\b|dockerfile\b|example:)", re.MULTILINE)
_SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


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
    """{file name: C or C++ program}"""
    found = {}
    for block in _blocks(text):
        if block["name"]:
            if block["language"] != block["name"].rpartition(".")[2] or block["name"] in found:
                raise ValueError(f"example {block['name']}: a block of another language, or named twice")
            found[block["name"]] = block["code"]
    return found


def _marked(text, mark, language):
    found = [block for block in _blocks(text) if block["mark"] == mark]
    if any(block["language"] != language for block in found):
        raise ValueError(f"a <!-- {mark} --> block that is not {language}")
    return [block["code"] for block in found]


def commands(text):
    """The marked shell snippets, in order."""
    return _marked(text, "run", "sh")


def python(text):
    """The Python snippets, in order."""
    return _marked(text, "python", "python")


def dockerfiles(text):
    return _marked(text, "dockerfile", "dockerfile")


def options(text):
    """(subcommand, option) of every call of fovea in a shell snippet, marked or not."""
    found = []
    for block in _SHELL.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for call in re.finditer(r"\b(?:docker run .*)?fovea +(explain-all|explain|predict|index|inspect|bench|methods|version)(?![\w-])([^|;#>]*)", line):
                found += [(call[1], option) for option in re.findall(r"(?<!\S)(--[a-z][\w-]*)", call[2])]
    return found


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
