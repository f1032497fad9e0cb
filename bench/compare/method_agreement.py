"""Holds each method's maps against the peer's of the same inputs and classes. Runs in the
environment `main`.

usage: method_agreement.py FOLDER
prints {comparison: {pearson_least, max_error, error_of_999}} for those whose maps are both there
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from methods import COMPARISONS, PEERS


def to_unit(map_, minmax):
    """Signed maps keep their zero, which their largest magnitude scales."""
    map_ = map_ - map_.min() if minmax else map_
    top = np.abs(map_).max()
    return map_ / top if top > 0 else map_


def drawn(feature_map, size):
    """As the grad-cam package makes its map of one with negative values."""
    positive = torch.from_numpy(np.maximum(feature_map, 0))[None, None]
    return F.interpolate(positive, size=size, mode="bilinear")[0, 0].numpy()


def compared(mine, theirs, minmax, sign_free):
    pearson, errors, most_errors = [], [], []
    for ours, other in zip(mine, theirs):
        candidates = [ours]
        if sign_free:
            candidates = [drawn(sign * ours, other.shape) for sign in (1, -1)]
        found = []
        for candidate in candidates:
            error = np.abs(to_unit(candidate, minmax) - to_unit(other, minmax))
            found.append((np.corrcoef(candidate.ravel(), other.ravel())[0, 1], error.max(),
                          np.quantile(error, 0.999)))
        best = max(found)
        for values, value in zip((pearson, errors, most_errors), best):
            values.append(float(value))
    return {"pearson_least": min(pearson), "max_error": max(errors),
            "error_of_999": max(most_errors)}


def main(folder):
    told = {}
    for c in COMPARISONS:
        files = [Path(folder) / f"{name}.npy" for name in (c.ours, c.key)]
        if c.same_map and all(file.exists() for file in files):
            mine, theirs = (np.load(file).astype(np.float64) for file in files)
            told[c.key] = compared(mine, theirs, PEERS[c.peer].minmax, c.sign_free)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
