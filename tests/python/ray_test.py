#!/usr/bin/env python3
"""Ray Data: a folder of photos in, Parquet out. Development only: Ray comes from PyPI.

Tried with ray 2.60, pyarrow 26, pandas 3.1.
"""

import os
import sys
import tempfile
import unittest

import support


class Photos(unittest.TestCase):
    def test_a_column_to_parquet(self):
        import pyarrow.parquet
        import ray

        from fovea import batch
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = scratch.name
        good = sorted((support.ROOT / "tools/demo/scenes").glob("*.png"))[:5]
        rows = [{"key": key, "photo": path.read_bytes()} for key, path in enumerate(good)]
        rows += [{"key": 5, "photo": b"no photo"}, {"key": 6, "photo": b""}]
        told = {"model": support.GAP, "column": "photo", "tuning": "off",
                "threads": 1, "fewer_threads": False}
        alone = batch.Explain(flat=True, **told).rows(rows)
        # Beside the two that explain, something must read and write.
        ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False,
                 runtime_env={"env_vars": {"PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                                           "FOVEA_LIBRARY": os.environ.get("FOVEA_LIBRARY", "")}})
        self.addCleanup(ray.shutdown)
        out = ray.data.from_items(rows).repartition(4).map_batches(
            batch.Explain, fn_constructor_kwargs=told, batch_size=2, batch_format="pyarrow",
            num_cpus=1, concurrency=2)
        out.write_parquet(os.path.join(folder, "maps"))
        table = pyarrow.parquet.read_table(os.path.join(folder, "maps")).to_pylist()
        support.check_rows(self, table, alone)


if __name__ == "__main__":
    try:
        import pyarrow  # noqa: F401
        import ray  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (PyPI's ray[data], development only)")
        sys.exit(support.SKIPPED)
    support.main()
