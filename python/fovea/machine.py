"""How many threads a call takes where nobody said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import List, Optional

from ._library import tensors


def _share(text: str) -> Optional[float]:
    """Of "150000 100000": microseconds of each period; None for "max"."""
    parts = text.split()
    try:
        allowed, period = float(parts[0]), float(parts[1])
    except (ValueError, IndexError):
        return None
    return allowed / period if allowed > 0 and period > 0 else None


def _read(*paths: str) -> Optional[str]:
    try:
        return " ".join(Path(path).read_text(encoding="ascii") for path in paths)
    except (OSError, ValueError):
        return None


def _quota_in(folder: str) -> Optional[float]:
    text = _read(os.path.join(folder, "cpu.max"))
    if text is None:
        text = _read(os.path.join(folder, "cpu.cfs_quota_us"),
                     os.path.join(folder, "cpu.cfs_period_us"))
    return None if text is None else _share(text)


def cpu_quota(root: str = "/") -> Optional[float]:
    """CPUs that this process' control groups allow; None without a quota.

    The least of the group's and of those above it; a container sees its own at the top of the mount,
    whatever path it is told.
    """
    groups = _read(os.path.join(root, "proc/self/cgroup"))
    mounts = os.path.join(root, "sys/fs/cgroup")
    found: List[float] = []
    for line in (groups or "").splitlines():  # 4:cpu,cpuacct:/path, or 0::/path
        parts = line.split(":", 2)
        if len(parts) < 3:
            continue
        if parts[1] == "":
            places = [mounts, os.path.join(mounts, "unified")]
        elif "cpu" in parts[1].split(","):
            places = [os.path.join(mounts, parts[1]), os.path.join(mounts, "cpu")]
        else:
            continue
        for place in places:
            path = parts[2].strip("/")
            while True:
                quota = _quota_in(os.path.join(place, path))
                if quota is not None:
                    found.append(quota)
                if not path:
                    break
                path = os.path.dirname(path)
    return min(found) if found else None


def _omp_num_threads() -> Optional[int]:
    """The environment's number, whenever it was set; OpenMP reads it once."""
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(text) if text.isdigit() and int(text) > 0 else None


def default_threads() -> int:
    """What OpenMP would take on this thread (threadpoolctl's limits count), and no more than the
    environment says (OMP_NUM_THREADS, which Ray, Spark and Dask set for their workers) or, where
    it says nothing, than this process' affinity and its control groups' quota have CPUs."""
    threads = int(tensors().long.omp_get_max_threads())
    said = _omp_num_threads()
    if said is not None:
        return max(1, min(threads, said))
    quota = cpu_quota()
    allowed = len(os.sched_getaffinity(0))
    if quota is not None:
        allowed = min(allowed, int(quota))
    return max(1, min(threads, allowed))
