"""What the convention checks share: which files are sources, and their text without comments."""

import re
import sys
from pathlib import Path

FOLDERS = ("include", "src", "tools", "tests", "bench", "python")
SKIPPED = 77  # CTest's SKIP_RETURN_CODE in this folder's CMakeLists.txt

_COMMENT_OR_LITERAL = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<raw>R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
      | (?P<literal>"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE,
)


def cxx_files(root, folders=FOLDERS):
    """Every C and C++ file below the given folders of `root`, sorted."""
    return sorted(
        path
        for folder in folders
        for pattern in ("*.hpp", "*.cpp", "*.h", "*.c")
        for path in (Path(root) / folder).rglob(pattern)
    )


def code_lines(text):
    """The lines of `text` with comments and the insides of literals blanked, numbering kept."""

    def blank(match):
        kept = "" if match.group("comment") else '""'
        return kept + "\n" * match.group(0).count("\n")

    return _COMMENT_OR_LITERAL.sub(blank, text).splitlines()


def report(problems):
    """Prints the problems, and returns the exit status of a check that found them."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem(s)", file=sys.stderr)
    return 1 if problems else 0
