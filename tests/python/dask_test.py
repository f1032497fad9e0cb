#!/usr/bin/env python3
"""Dask with two workers: every row once, equal to one process, errors in rows, a worker killed.

Needs Debian's python3-distributed (or Dask of PyPI). FOVEA_ROWS says how many rows, 64 unless said.
"""

import os
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

import support

ROWS = int(os.environ.get("FOVEA_ROWS", "64"))
BROKEN = 6


def photos(folder):
    """Rows of which BROKEN are broken: no file, a cut one, a text, an empty one."""
    good = sorted(str(path) for path in (support.ROOT / "tools/demo/scenes").glob("*.png"))[:8]
    cut, text, empty = (Path(folder, name) for name in ("cut.png", "text.png", "empty.png"))
    cut.write_bytes(Path(good[0]).read_bytes()[:2000])
    text.write_text("no photo")
    empty.touch()
    bad = [str(cut), str(text), str(empty), "/no/such/photo.png", folder, str(cut)]
    every = ROWS // BROKEN
    rows = [{"key": key, "photo": good[key % len(good)]} for key in range(ROWS)]
    for place, path in enumerate(bad):
        rows[place * every + 1]["photo"] = path
    return rows


def slowly(explain, seconds):
    """For a partition that takes long enough for its worker to be killed meanwhile."""
    def work(rows):
        time.sleep(seconds)
        return explain.rows(rows)
    return work


class Workers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from dask.distributed import Client, LocalCluster

        from fovea import batch
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.rows = photos(scratch.name)
        cls.explain = batch.Explain(support.GAP, "photo", threads=1, tuning="off",
                                    fewer_threads=False)
        cls.alone = cls.explain.rows(cls.rows)
        cls.cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True,
                                   dashboard_address=None, local_directory=scratch.name)
        cls.addClassCleanup(cls.cluster.close)
        cls.client = Client(cls.cluster)
        cls.addClassCleanup(cls.client.close)

    def check(self, found):
        self.assertEqual(sorted(row["key"] for row in found), list(range(ROWS)))
        for row in found:
            one = self.alone[row["key"]]
            for name in ("index", "status", "error", "label"):
                self.assertEqual(row[name], one[name])
            if one["status"] == "ok":
                self.assertEqual(row["map"].tobytes(), one["map"].tobytes())
                self.assertEqual(row["probability"], one["probability"])
        bad = [row for row in found if row["status"] != "ok"]
        self.assertEqual(len(bad), BROKEN)
        self.assertTrue(all(row["error"] for row in bad))

    def test_every_row_once_and_the_model_once_per_worker(self):
        import dask.bag

        from fovea import batch
        bag = dask.bag.from_sequence(self.rows, npartitions=8).map_partitions(self.explain.rows)
        self.check(bag.compute(scheduler=self.client))
        opened = self.client.run(batch.opened)
        self.assertEqual(len(opened), 2)
        self.assertEqual(sum(opened.values()), len([one for one in opened.values() if one]))
        self.assertLessEqual(max(opened.values()), 1)
        # A worker's environment says one thread; without threads= that is what is taken.
        import fovea
        self.assertEqual(set(self.client.run(fovea.default_threads).values()), {1})

    def test_a_worker_killed_half_way(self):
        parts = [self.rows[first::8] for first in range(8)]
        futures = self.client.map(slowly(self.explain, 0.5), parts, pure=False)
        workers = self.client.run(os.getpid)
        while sum(future.done() for future in futures) < 2:
            time.sleep(0.05)
        os.kill(sorted(workers.values())[0], signal.SIGKILL)
        found = [row for part in self.client.gather(futures) for row in part]
        self.check(found)


if __name__ == "__main__":
    try:
        import dask.bag
        import distributed  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (Debian's package python3-distributed)")
        sys.exit(support.SKIPPED)
    support.main()
