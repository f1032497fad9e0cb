"""Makes keras.applications' networks as make_models.py makes PyTorch's: random weights, batch norms
that have seen pictures. What is there is kept. Runs in the environment `keras`.

usage: make_keras_models.py FOLDER NAME...
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import numpy as np  # noqa: E402

from catalogue import NETWORKS  # noqa: E402


def settle(model, inputs):
    """Lets the batch norms take the statistics of the inputs as they meet them."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0  # the last batch counts alone
    for _ in range(2 if norms else 0):
        model(inputs, training=True)
    for norm, momentum in zip(norms, before):
        norm.momentum = momentum


def main(folder, names):
    folder = Path(folder)
    inputs = np.load(folder / "inputs.npy")[:8].transpose(0, 2, 3, 1)
    for name in names:
        file = folder / f"{name}.keras"
        if file.exists():
            continue
        keras.utils.set_random_seed(1)
        model = getattr(keras.applications, NETWORKS[name].keras)(weights=None)
        settle(model, inputs)
        unfinished = folder / f"{name}.unfinished.keras"
        model.save(unfinished)
        unfinished.rename(file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
