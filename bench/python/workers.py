#!/usr/bin/env python3
"""Photos per second of fovea.batch.Explain under Dask, by two worker processes of one thread and by
one, in turn. Needs Debian's python3-distributed, or Dask of PyPI, and two idle cores.

usage: workers.py BUILD_DIR MODEL.onnx FOLDER_OF_PHOTOS [ROWS]
"""

import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = 32


def main(build, model, folder, count):
    libraries = f"{build / 'src/c'}:{build / 'src/vision_c'}"
    os.environ.setdefault("FOVEA_LIBRARY", libraries)
    os.environ["PYTHONPATH"] = str(ROOT / "python")
    sys.path.insert(0, str(ROOT / "python"))
    import dask.bag
    from dask.distributed import Client, LocalCluster

    import fovea.batch
    photos = sorted(str(path) for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))
    rows = [{"key": key, "photo": photos[key % len(photos)]} for key in range(count)]
    explain = fovea.batch.Explain(model, "photo", threads=1)
    rates = {}
    for turn in range(3):
        for workers in (1, 2):
            cluster = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True,
                                   dashboard_address=None)
            client = Client(cluster)
            bag = dask.bag.from_sequence(rows, npartitions=PARTS).map_partitions(explain.rows)
            # Opens the model in every worker.
            client.gather([client.submit(explain.rows, rows[:4], workers=[name], pure=False)
                           for name in client.scheduler_info()["workers"]])
            begun = time.perf_counter()
            done = bag.compute(scheduler=client)
            rate = count / (time.perf_counter() - begun)
            assert sorted(row["key"] for row in done) == list(range(count))
            assert all(row["status"] == "ok" for row in done), done[0]["error"]
            rates.setdefault(workers, []).append(rate)
            print(f"{workers} worker(s): {rate:.1f} photos/s", flush=True)
            client.close()
            cluster.close()
    one, two = (statistics.median(rates[workers]) for workers in (1, 2))
    print(f"two workers over one: {two / one:.2f}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__.split("\n\n")[1])
    main(Path(sys.argv[1]).resolve(), str(Path(sys.argv[2]).resolve()), Path(sys.argv[3]).resolve(),
         int(sys.argv[4]) if len(sys.argv) > 4 else 512)
