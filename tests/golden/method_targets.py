"""Targets: what of a network's scores is explained, as the manifest and as the packages have it."""

import torch


class Target:
    """Called with the scores of one image or of a batch, classes last."""

    def __init__(self, **spec):
        self.spec = spec

    def __call__(self, scores):
        kind, k = self.spec["kind"], self.spec["class"]
        if kind == "class":
            return scores[..., k]
        if kind == "counterfactual":
            return -scores[..., k]
        if kind == "probability":
            return torch.softmax(scores, -1)[..., k]
        if kind == "difference":
            return scores[..., k] - scores[..., self.spec["minus"]]
        if kind == "rest":  # the score and the logarithm of its probability
            return scores[..., k] + torch.log_softmax(scores, -1)[..., k]
        raise ValueError(kind)


def make_target(kind, k, classes):
    if kind is None:
        return Target(kind="class", **{"class": 0})
    if kind == "difference":
        return Target(kind=kind, **{"class": k, "minus": (k + 1) % classes})
    return Target(kind=kind, **{"class": k})
