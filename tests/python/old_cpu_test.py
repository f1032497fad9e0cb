#!/usr/bin/env python3
"""An explanation on CPUs without AVX, and with no more than AVX2: no instruction that they lack.

Needs qemu-user (Debian's package qemu-user-static).
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

import support

CODE = f"""
import fovea
print(fovea.build_info())
why = fovea.explain({support.GAP!r}, {support.SCENE!r}, threads=1, tuning="off")
print(why.prediction.class_index, why.box())
"""
EMULATOR = shutil.which("qemu-x86_64-static") or shutil.which("qemu-x86_64")


class Emulated(unittest.TestCase):
    def explained(self, *before):
        done = subprocess.run([*before, sys.executable, "-B", "-c", CODE], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_old_ones(self):
        _, expected = self.explained()
        for cpu, kernels in (("qemu64", "baseline"), ("Haswell", "avx2")):
            with self.subTest(cpu):
                info, found = self.explained(EMULATOR, "-cpu", cpu)
                self.assertTrue(re.search(rf"\b{kernels}\b", info), info)
                self.assertEqual(found, expected)


if __name__ == "__main__":
    if EMULATOR is None:
        print("skipped: there is no qemu-x86_64 (Debian's package qemu-user-static)")
        sys.exit(support.SKIPPED)
    support.main()
