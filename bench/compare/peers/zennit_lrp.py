"""zennit's LRP, by the name of its composite, batch norms merged and residual sums canonised as its
documentation has it for torchvision's networks."""

from importlib.metadata import version

import torch

import torch_networks  # first: it makes torchvision importable, which the package imports
import zennit.attribution
import zennit.composites
import zennit.torchvision
from zennit.canonizers import SequentialMergeBatchNorm

TITLE = "zennit"
METHOD = "EpsilonPlusFlat"
VERSION = f"{version('zennit')} (PyTorch {torch.__version__})"


def canonizer_of(network):
    if network.startswith("resnet"):
        return zennit.torchvision.ResNetCanonizer()
    return SequentialMergeBatchNorm()


def create(job):
    torch.set_num_threads(job.threads)
    net, _ = torch_networks.load(job.network, job.models)
    composite = getattr(zennit.composites, job.method or METHOD)(
        canonizers=[canonizer_of(job.network)])
    attributor = zennit.attribution.Gradient(model=net, composite=composite)
    attributor.__enter__()  # hooks once, for all runs

    def explain(x, best):
        x = torch.from_numpy(x).requires_grad_(True)
        start = torch.nn.functional.one_hot(torch.from_numpy(best), 1000).float()
        _, relevance = attributor(x, start)
        return relevance.detach().sum(dim=1).numpy()

    return {"explain": explain}
