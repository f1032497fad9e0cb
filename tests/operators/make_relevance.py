#!/usr/bin/env python3
"""Draws recurrent networks, and what layer-wise relevance propagation by "signal takes all" (Arras et al. 2017)
makes of them: relevance/expected.json.

    python3 tests/operators/make_relevance.py                  # relevance/
    python3 tests/operators/make_relevance.py --cases 200 DIR  # any number, elsewhere
    FOVEA_RELEVANCE=DIR build/release/tests/operators/operators_test --gtest_filter='*Autograd*'

By PyTorch's autograd in double: with the gates detached, and f(z) in place of f(z) / z times z with that
quotient detached, relevance is a value times its gradient. Besides onnx (requirements.txt) it needs torch 2.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def passed(f, z):
    """f(z), which passes relevance on."""
    y = f(z).detach()
    return z * torch.where(z == 0, torch.ones_like(z), y / z).detach()


def steps(op, x, w, r, bias, h, c, reset_after):
    """One direction in the order of x: every h, and the last c."""
    hidden = r.shape[1]
    bx, bh = bias[:len(bias) // 2], bias[len(bias) // 2:]
    out = []
    for at in x:
        if op == "RNN":
            h = passed(torch.tanh, at @ w.T + h @ r.T + bx + bh)
        elif op == "LSTM":
            i, o, f, g = (at @ w.T + h @ r.T + bx + bh).split(hidden, -1)
            i, o, f = (torch.sigmoid(gate).detach() for gate in (i, o, f))
            c = f * c + i * passed(torch.tanh, g)
            h = o * passed(torch.tanh, c)
            # What is multiplied with o gets all of what h has, whatever o is.
            h = h.detach() / c.detach() * c
        else:
            own, more = at @ w.T + bx, h @ r.T + bh
            z, s = (torch.sigmoid(own[:, k * hidden:(k + 1) * hidden] + more[:, k * hidden:(k + 1) * hidden]).detach()
                    for k in range(2))
            if reset_after:
                candidate = own[:, 2 * hidden:] + s * more[:, 2 * hidden:]
            else:
                candidate = own[:, 2 * hidden:] + (s * h) @ r[2 * hidden:].T + bh[2 * hidden:]
            h = (1 - z) * passed(torch.tanh, candidate) + z * h
        out.append(h)
    return torch.stack(out), c


def draw(n):
    random = np.random.default_rng(n)
    op = ("LSTM", "GRU", "RNN")[n % 3]
    direction = ("forward", "reverse", "bidirectional")[n // 3 % 3]
    ways, gates = 2 if direction == "bidirectional" else 1, GATES[op]
    time, images, features, hidden = int(random.integers(1, 6)), 2, int(random.integers(1, 5)), int(random.integers(1, 6))
    numbers = lambda *shape: random.uniform(-1, 1, shape).astype(np.float32)
    weights = {"w": numbers(ways, gates * hidden, features), "r": numbers(ways, gates * hidden, hidden),
               "b": numbers(ways, 2 * gates * hidden)}
    feeds = {"x": numbers(time, images, features), "h": numbers(ways, images, hidden)}
    if op == "LSTM":
        feeds["c"] = numbers(ways, images, hidden)
    attributes = {"hidden_size": hidden, "direction": direction}
    if op == "GRU":
        attributes["linear_before_reset"] = n // 9 % 2
    node = helper.make_node(op, ["x", "w", "r", "b", "", *list(feeds)[1:]], ["y", "last"], **attributes)
    graph = helper.make_graph(
        [node], "net", [helper.make_tensor_value_info(k, TensorProto.FLOAT, v.shape) for k, v in feeds.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [time, ways, images, hidden])],
        [numpy_helper.from_array(v, k) for k, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8

    leaves = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in feeds.items()}
    w, r, b = (torch.tensor(v, dtype=torch.float64) for v in weights.values())
    results = []
    for d in range(ways):
        turned = direction == "reverse" or d == 1
        order = leaves["x"].flip(0) if turned else leaves["x"]
        y, _ = steps(op, order, w[d], r[d], b[d], leaves["h"][d], leaves["c"][d] if op == "LSTM" else None,
                     attributes.get("linear_before_reset", 0))
        results.append(y.flip(0) if turned else y)
    y = torch.stack(results, 1)
    given = random.uniform(-1, 1, tuple(y.shape))
    gradients = torch.autograd.grad((torch.tensor(given) / y.detach() * y).sum(), list(leaves.values()), allow_unused=True)
    relevance = [torch.zeros_like(v) if g is None else (v * g).detach() for v, g in zip(leaves.values(), gradients)]
    listed = lambda a: [float(f"{v:.9g}") for v in np.asarray(a, np.float64).ravel()]
    return model, {"feeds": [listed(v) for v in feeds.values()], "given": listed(given), "y": listed(y.detach()),
                   "relevance": [listed(v) for v in relevance]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "relevance")
    parser.add_argument("--cases", type=int, default=18)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for n in range(options.cases):
        model, case = draw(n)
        name = f"{n}.onnx"
        (options.folder / name).write_bytes(model.SerializeToString())
        cases.append({"model": name, **case})
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (options.folder / "expected.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()
