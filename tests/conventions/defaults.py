#!/usr/bin/env python3
"""Checks that no function takes an operator of any kind without a name and so without a look at its
row of `graph/op_traits.hpp`, and that no switch over an operator's kinds has a default: a new
operator, or a new kind of one, would be wrong there without a word.

usage: defaults.py ROOT
"""

import re
import sys
from pathlib import Path

from cxx_source import code_lines, cxx_files, report

_TEMPLATE = re.compile(r"(?:\btemplate|\])\s*<\s*(?:class|typename)\s+(\w+)\s*>")
_AUTO = re.compile(r"[(,]\s*const\s+auto\s*&\s*[,)]")
_CASE = re.compile(r"\b(?:case\s+([\w:]+)|default)\s*:")
_KIND = re.compile(r"\b(?:Unary|Binary|Reduce|Pool)Kind::")
_MODULES = ("src/graph", "src/passes", "src/engine")


def check(root):
    root = Path(root)
    problems = []
    for path in cxx_files(root, _MODULES):
        text = "\n".join(code_lines(path.read_text()))
        found = [
            (match.start(), f"const {match.group(1)}&")
            for match in _TEMPLATE.finditer(text)
            if _takes_unnamed(text, match)
        ]
        found += [(match.start(), "const auto&") for match in _AUTO.finditer(text)]
        for start, argument in sorted(found):
            number = text.count("\n", 0, start) + 1
            problems.append(
                f"{path.relative_to(root)}:{number}: takes any operator as an unnamed {argument}: "
                "ask its row in graph/op_traits.hpp"
            )
        problems += [
            f"{path.relative_to(root)}:{number}: a switch over kinds has a default: name the kinds"
            for number in _defaults_of_kinds(text)
        ]
    return problems


def _defaults_of_kinds(text):
    """The lines of defaults behind a case of an operator's kind."""
    before = ""
    for label in _CASE.finditer(text):
        if label.group(1) is None and _KIND.search(before):
            yield text.count("\n", 0, label.start()) + 1
        before = label.group(1) or ""


def _takes_unnamed(text, template):
    """Is a parameter of the function behind the template's head its argument, without a name?"""
    head = re.compile(r"[;{]").split(text[template.end() :], maxsplit=1)[0]
    if re.search(r"\brequires\b", head):
        return False
    return re.search(rf"[(,]\s*(?:const\s+)?{template.group(1)}\s*&\s*[,)]", head) is not None


if __name__ == "__main__":
    sys.exit(report(check(sys.argv[1])))
