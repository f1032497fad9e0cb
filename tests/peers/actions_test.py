"""Perturbation saliency of agents, written anew from its authors' description, on Breakout's A3C beside the checkout.

S. Greydanus, A. Koul, J. Dodge, A. Fern, "Visualizing and Understanding Atari Agents", ICML 2018
(arXiv 1711.00138), eq. 1 to 3, with the numbers of the authors' code (github.com/greydanus/visualize_atari,
saliency.py: a disc of radius 1, blurred by SciPy's gaussian_filter and divided by its maximum; the frame blurred by a
deviation of 3; half the squared change of all logits, or of the value; the memory as it is).
"""

import numpy as np
import support
import torch
from scipy.ndimage import gaussian_filter, shift

MODELS = ["rl_a3c_breakout_gru_op14", "rl_a3c_breakout_grucell_op18"]
BLUR = 3


class Policy(torch.nn.Module):
    """baby-a3c's network: four convolutions, a GRU, an actor and a critic."""

    def __init__(self, weights):
        super().__init__()
        for i in range(1, 5):
            conv = torch.nn.Conv2d(1 if i == 1 else 32, 32, 3, stride=2, padding=1)
            conv.weight.data, conv.bias.data = weights[f"conv{i}.weight"], weights[f"conv{i}.bias"]
            setattr(self, f"conv{i}", conv)
        self.memory = torch.nn.GRUCell(800, 256)

        # PyTorch keeps r z n, a file z r n.
        def gates(tensor):
            update, reset, new = tensor.chunk(3)
            return torch.cat([reset, update, new])
        bias, state_bias = weights["onnx::GRU_117"][0].chunk(2)
        self.memory.weight_ih.data, self.memory.bias_ih.data = gates(weights["onnx::GRU_115"][0]), gates(bias)
        self.memory.weight_hh.data, self.memory.bias_hh.data = gates(weights["onnx::GRU_116"][0]), gates(state_bias)
        self.actor, self.critic = torch.nn.Linear(256, 4), torch.nn.Linear(256, 1)
        for part, name in ((self.actor, "actor_linear"), (self.critic, "critic_linear")):
            part.weight.data, part.bias.data = weights[f"{name}.weight"], weights[f"{name}.bias"]

    def forward(self, frame, memory):
        x = frame
        for i in range(1, 5):
            x = torch.nn.functional.elu(getattr(self, f"conv{i}")(x))
        memory = self.memory(x.flatten(1), memory)
        return {"action_logits": self.actor(memory), "value": self.critic(memory), "memory": memory}


def disc(row, column, extents, radius):
    rows, columns = np.indices(extents)
    mask = ((rows - row) ** 2 + (columns - column) ** 2 <= 1).astype(np.float64)
    mask = gaussian_filter(mask, sigma=radius)
    return mask / mask.max()


def saliency(network, frame, memory, output, radius, step):
    """At every step-th pixel of each extent."""
    own = frame[0, 0].numpy()
    blurred = gaussian_filter(own, sigma=BLUR)
    grid = [range(0, extent, step) for extent in own.shape]
    with torch.no_grad():
        whole = network(frame, memory)[output]
        masks = np.stack([disc(row, column, own.shape, radius) for row in grid[0] for column in grid[1]])
        hidden = torch.from_numpy(own * (1 - masks) + blurred * masks)[:, None]
        changed = network(hidden, memory.expand(len(masks), -1))[output]
        return (0.5 * (whole - changed).pow(2).sum(1)).reshape([len(places) for places in grid]).numpy()


@support.unittest.skipUnless(support.SHARED.exists(), f"no {support.SHARED}")
class Actions(support.Compared):
    def test_greydanus(self):
        import onnx
        file = onnx.load(support.SHARED / "models" / f"{MODELS[0]}.onnx")
        network = Policy({tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()).double()
                          for tensor in file.graph.initializer}).double()
        arrays = np.load(support.SHARED / "examples" / f"{MODELS[0]}__action.npz")
        frame, memory = (torch.from_numpy(arrays[f"in/{name}"]).double() for name in ("frame", "memory"))
        np.testing.assert_allclose(network(frame, memory)["action_logits"].detach().numpy(),
                                   arrays["out/action_logits"], atol=1e-4)
        # The frame, and two that might follow, each with the memory of the one before.
        for number in range(3):
            for model in MODELS if number == 0 else MODELS[:1]:
                for output in ("action_logits", "value"):
                    for radius, step in ((5, 5), (3, 4)):
                        wanted = saliency(network, frame, memory, output, radius, step)
                        self.explained(support.SHARED / "models" / f"{model}.onnx",
                                       {"frame": frame.numpy(), "memory": memory.numpy()}, "--target",
                                       f"{output}[0,0]", "--method", "greydanus", "--option", f"radius={radius}",
                                       "--option", f"step={step}", "--option", f"sigma={BLUR}")
                        whole = np.squeeze(np.load(self.folder / "whole.npy"))
                        self.check(f"{model}, frame {number}, {output}, radius {radius}, step {step}",
                                   whole[::step, ::step], wanted)
            with torch.no_grad():
                memory = network(frame, memory)["memory"]
            frame = torch.from_numpy(shift(frame.numpy(), (0, 0, 2, 3), order=0, mode="nearest"))
            # What the program gets are floats.
            frame, memory = frame.float().double(), memory.float().double()
