"""Makes the networks: random weights, batch norms that have seen pictures; written for PyTorch and
as ONNX with an open batch. What is there is kept. Runs in the environment `main`.

usage: make_models.py FOLDER NAME...
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

import torch_networks
from catalogue import INPUTS, SIZE
from torch_networks import zoo


def write_inputs(folder):
    torch.manual_seed(2)
    np.save(folder / "inputs.npy", zoo.pictures(INPUTS, SIZE).numpy())


def write_model(folder, name):
    torch.manual_seed(1)
    net = torch_networks.architecture(name)
    zoo.initialise(net, SIZE, attention=False)
    torch.save(net.state_dict(), folder / f"{name}.pt")
    batch = torch.export.Dim("batch", min=1, max=1024)
    torch.onnx.export(net, (zoo.pictures(2, SIZE),), folder / f"{name}.onnx", verbose=False,
                      dynamic_shapes=({0: batch},))


def write_classes(folder, name):
    """The best class of each input, for peers that must be told which one to explain."""
    net, _ = torch_networks.load(name, folder)
    with torch.no_grad():
        scores = net(torch.from_numpy(np.load(folder / "inputs.npy")))
    np.save(folder / f"{name}-classes.npy", scores.argmax(dim=1).numpy())


def main(folder, names):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    if not (folder / "inputs.npy").exists():
        write_inputs(folder)
    for name in names:
        made = folder / f"{name}.made"  # last: its presence says that the files are complete
        if not made.exists():
            write_model(folder, name)
            write_classes(folder, name)
            made.touch()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
