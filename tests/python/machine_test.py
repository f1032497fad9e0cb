#!/usr/bin/env python3
"""How many threads a call takes where nobody said."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import support

from fovea import machine

TELL = "import fovea; print(fovea.default_threads(), fovea.Explainer(%r, tuning='off').threads)"


def threads(code=TELL % support.GAP, before="", **changes):
    """What a process of its own takes."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT")}
    done = subprocess.run([sys.executable, "-B", "-c", before + "\n" + code], check=True,
                          stdout=subprocess.PIPE, text=True, env={
                              **kept, "PYTHONPATH": ":".join(path for path in sys.path if path),
                              **changes})
    return [int(word) for word in done.stdout.split()]


class Quota(unittest.TestCase):
    def quota(self, groups, files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in {"proc/self/cgroup": groups, **files}.items():
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return machine.cpu_quota(root)

    def test_unified(self):
        group = "sys/fs/cgroup/a/b/cpu.max"
        self.assertEqual(self.quota("0::/a/b\n", {group: "150000 100000\n"}), 1.5)
        self.assertIsNone(self.quota("0::/a/b\n", {group: "max 100000\n"}))
        self.assertEqual(self.quota("0::/a/b\n", {group: "max 100000\n",
                                                  "sys/fs/cgroup/a/cpu.max": "200000 100000\n"}), 2)
        # A container sees its own group at the top.
        self.assertEqual(self.quota("0::/a/b\n", {"sys/fs/cgroup/cpu.max": "50000 100000\n"}), 0.5)

    def test_older(self):
        files = {"sys/fs/cgroup/cpu,cpuacct/g/cpu.cfs_quota_us": "300000\n",
                 "sys/fs/cgroup/cpu,cpuacct/g/cpu.cfs_period_us": "100000\n"}
        self.assertEqual(self.quota("4:cpu,cpuacct:/g\n3:memory:/g\n", files), 3)
        files["sys/fs/cgroup/cpu,cpuacct/g/cpu.cfs_quota_us"] = "-1\n"
        self.assertIsNone(self.quota("4:cpu,cpuacct:/g\n", files))

    def test_none(self):
        self.assertIsNone(machine.cpu_quota("/no/such/root"))
        self.assertIsNone(self.quota("nonsense\n0::/\n", {"sys/fs/cgroup/cpu.max": "\n"}))


class Default(unittest.TestCase):
    def test_the_environment_s(self):
        self.assertEqual(threads(OMP_NUM_THREADS="1"), [1, 1])
        self.assertEqual(threads(OMP_NUM_THREADS="3"), [3, 3])
        # Set once OpenMP is there, as an engine's worker may.
        late = "import os, fovea; fovea.methods(); os.environ['OMP_NUM_THREADS'] = '1'"
        self.assertEqual(threads(before=late), [1, 1])

    def test_affinity(self):
        one = min(os.sched_getaffinity(0))
        late = f"import os, fovea; fovea.methods(); os.sched_setaffinity(0, {{{one}}})"
        self.assertEqual(threads(before=late), [1, 1])
        self.assertEqual(threads(), [min(len(os.sched_getaffinity(0)),
                                         int(machine.cpu_quota() or 1e9) or 1)] * 2)

    def test_quota(self):
        limited = "import fovea.machine; fovea.machine.cpu_quota = lambda: 1.5"
        self.assertEqual(threads(before=limited), [1, 1])
        little = "import fovea.machine; fovea.machine.cpu_quota = lambda: 0.25"
        self.assertEqual(threads(before=little), [1, 1])

    def test_threadpoolctl(self):
        try:
            import threadpoolctl  # noqa: F401
        except ImportError:
            self.skipTest("this Python has no threadpoolctl")
        code = ("import fovea, threadpoolctl\n"
                "fovea.methods()\n"
                "found = [row for row in threadpoolctl.threadpool_info()"
                " if row['user_api'] == 'openmp']\n"
                "with threadpoolctl.threadpool_limits(1, user_api='openmp'):\n"
                "    print(len(found), fovea.default_threads())")
        self.assertEqual(threads(code, OMP_NUM_THREADS="2"), [1, 1])


if __name__ == "__main__":
    support.main()
