"""Holds maps against PyTorch's autograd: the ONNX file is run node by node, and the gradient taken
at the layer that fovea explained. Runs in the environment `main`.

usage: agreement.py MODELS NETWORK LAYER MAPS.npy...
prints {name of the maps' file: {pearson_least, pearson_median, max_error}}
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import torch_networks  # noqa: F401: makes the zoo's modules known
import oracle
from contestants import CONTESTANTS


def reference_maps(models, network, layer, count):
    images = np.load(models / "inputs.npy")
    classes = np.load(models / f"{network}-classes.npy")
    maps = []
    for x, best in zip(images[:count], classes):
        x = torch.from_numpy(x[None])
        cam = oracle.grad_cam(models / f"{network}.onnx", x.double(), layer, int(best))[2]
        maps.append(F.interpolate(cam[None, None].float(), size=x.shape[2:], mode="bilinear")[0, 0])
    return [m.numpy() for m in maps]


def to_unit(map_, minmax=False):
    map_ = map_ - map_.min() if minmax else map_
    top = map_.max()
    return map_ / top if top > 0 else map_


def compared(maps, reference, minmax):
    pearson = [np.corrcoef(m.ravel(), r.ravel())[0, 1] for m, r in zip(maps, reference)]
    errors = [np.abs(to_unit(m, minmax) - to_unit(r, minmax)).max()
              for m, r in zip(maps, reference)]
    return {"pearson_least": float(min(pearson)), "pearson_median": float(np.median(pearson)),
            "max_error": float(max(errors))}


def main(models, network, layer, files):
    maps = {Path(file).stem: np.load(file).astype(np.float64) for file in files}
    reference = reference_maps(Path(models), network, layer, max(map(len, maps.values())))
    print(json.dumps({name: compared(m, reference, CONTESTANTS[name].minmax)
                      for name, m in maps.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:4], sys.argv[4:])
