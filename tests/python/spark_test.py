#!/usr/bin/env python3
"""Spark: a Parquet column of encoded photos in, Parquet out. Development only: PySpark comes from
PyPI and needs a Java runtime.

Tried with pyspark 4.3, pyarrow 26, pandas 3.1, Java 17.
"""

import os
import shutil
import sys
import tempfile
import unittest

import support

SCHEMA = ("key long, `index` long, label string, probability float, score double, map array<float>, "
          "map_rows int, map_columns int, status string, error string")


class Photos(unittest.TestCase):
    def test_parquet_to_parquet(self):
        import pyarrow
        import pyarrow.parquet
        from pyspark.sql import SparkSession

        from fovea import batch
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        folder = scratch.name
        good = sorted((support.ROOT / "tools/demo/scenes").glob("*.png"))[:5]
        rows = [{"key": key, "photo": path.read_bytes()} for key, path in enumerate(good)]
        rows += [{"key": 5, "photo": b"no photo"}, {"key": 6, "photo": None}]
        source = os.path.join(folder, "photos.parquet")
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), source)
        explain = batch.Explain(support.GAP, "photo", flat=True, tuning="off", threads=1,
                                fewer_threads=False)
        alone = explain.rows(rows)
        spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
                 .config("spark.driver.bindAddress", "127.0.0.1")
                 .config("spark.driver.host", "127.0.0.1")
                 .config("spark.log.level", "ERROR").getOrCreate())
        self.addCleanup(spark.stop)
        out = spark.read.parquet(source).repartition(3).mapInPandas(explain.frames, SCHEMA)
        out.write.parquet(os.path.join(folder, "maps"))
        table = pyarrow.parquet.read_table(os.path.join(folder, "maps")).to_pylist()
        support.check_rows(self, table, alone)


if __name__ == "__main__":
    try:
        import pyarrow  # noqa: F401
        import pyspark  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (PyPI's pyspark, development only)")
        sys.exit(support.SKIPPED)
    if not shutil.which("java"):
        print("skipped: there is no Java runtime, which Spark needs")
        sys.exit(support.SKIPPED)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    support.main()
