#!/usr/bin/env python3
"""Compares the C libraries' binary interface with the one that is kept, so that a program linked against an earlier
library runs with this one.

usage: .ci/abi.py [--update] [LIBRARY.so...]
Fails where a function is gone, or takes, returns or points to something else. Not told: a new function, and a
struct that begins with its size and grew at its end. --update keeps what the headers say now, in tests/c/*.abi: with
a release, or where nobody has the change yet. A LIBRARY, built, must export what its header declares. Debian's package
abigail-tools is needed; exits with 77 where it is missing.

The interface is read from the headers, which the libraries' own sources are compiled with: a library of functions that
do nothing is made of them.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = 77
sys.path.insert(0, str(ROOT / "tests/c"))
from null_calls import functions  # noqa: E402

ENUM = re.compile(r"\benum\s*\{([^}]*)\}")
HEADERS = {"libfovea_c": "fovea.h", "libfovea_vision_c": "fovea_vision.h"}
SIZED = re.compile(r"typedef struct (fovea_\w+) \{\s*(size_t struct_size;.*?)\n\} \1;", re.DOTALL)


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


def output(*command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def without_new(text, kept):
    """The header without what its sized structs have at their end that they had not."""
    known = {}
    for struct in (ElementTree.parse(kept).iter("class-decl") if kept else ()):
        members = [member.get("name") for member in struct.findall("data-member/var-decl")]
        if members:
            known[struct.get("name")] = members[-1]

    def cut(match):
        struct, members = match.groups()
        end = re.search(rf"\b{known[struct]}\b[^;]*;", members) if struct in known else None
        return match[0].replace(members, members[:end.end()]) if end else match[0]

    return SIZED.sub(cut, text)


def interface(headers, name, folder, kept=None):
    """What abidw tells of a library that has what its header declares."""
    texts = {path: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL) for path in headers.values()}
    for path, text in texts.items():
        (folder / path.name).write_text(without_new(text, kept))
    source, library, told = folder / "stub.c", folder / "stub.so", folder / "now.abi"
    body = "".join(f"{returns} {function}({', '.join(f'{kind} {value}' for kind, value in parameters) or 'void'}) "
                   f"{{ {'' if returns == 'void' else 'return 0;'} }}\n"
                   for returns, function, parameters in functions(texts[headers[name]]))
    # No function's type mentions a constant: an array's extent tells its value.
    body += "".join(f"char value_of_{constant}[{constant} + 2];\n" for group in ENUM.findall(texts[headers[name]])
                    for constant in re.findall(r"\b(FOVEA_\w+)\s*=", group))
    source.write_text(f"#include <{headers[name].name}>\n{body}")
    run("cc", "-std=c11", "-g", "-O0", "-w", "-shared", "-fPIC", f"-I{folder}", f"-ffile-prefix-map={folder}=.",
        source, "-o", library)
    run("abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed",
        "--no-parameter-names", "--out-file", told, library)
    return told


def exported(library, header):
    declared = {name for _, name, _ in functions(header.read_text())}
    found = {line.split()[2].split("@")[0] for line in output("nm", "-D", "--defined-only", library).splitlines()}
    wrong = declared ^ {name for name in found if name.startswith("fovea_")}
    if wrong:
        print(f"{library} does not export what {header.name} declares: {sorted(wrong)}")
    return not wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--headers", type=Path, default=ROOT / "include", help="of another version, to compare it")
    parser.add_argument("library", nargs="*", type=Path)
    arguments = parser.parse_args()
    if not shutil.which("abidiff"):
        print("skipped: there is no abidiff (Debian's package abigail-tools)")
        return SKIPPED
    headers = {name: arguments.headers / file for name, file in HEADERS.items()}
    fine = True
    for name, header in headers.items():
        kept = ROOT / "tests/c" / f"{name}.abi"
        with tempfile.TemporaryDirectory() as scratch:
            now = interface(headers, name, Path(scratch), None if arguments.update else kept)
            if arguments.update:
                kept.write_text(now.read_text())
            else:
                fits = subprocess.run(["abidiff", "--no-added-syms", str(kept), str(now)]).returncode == 0
                print(f"{name}: programs linked with an earlier one {'run' if fits else 'break'}", flush=True)
                fine &= fits
        for library in arguments.library:
            if library.name.startswith(f"{name}.so"):
                fine &= exported(library, header)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
