#!/usr/bin/env python3
"""Writes fovea.h as a later version may have it: its structs grew at their ends.

usage: newer_header.py HEADER.h OUTPUT.h
"""

import re
import sys
from pathlib import Path

header = Path(sys.argv[1]).read_text()
grown, count = re.subn(r"(  size_t struct_size;\n(?:(?!\n\}).)*\n)(\} fovea_\w+;)", r"\1  int64_t newer[7];\n\2", header,
                       flags=re.DOTALL)
if count != header.count("  size_t struct_size;"):
    sys.exit(f"{count} of the structs that begin with their size could be read in {sys.argv[1]}")
Path(sys.argv[2]).write_text(grown)
