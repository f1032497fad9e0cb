"""Maps by the papers' equations on PyTorch's autograd, for what no package can be trusted with."""

import torch


def features_and_head(net, x, layer):
    """The layer's feature map, and the function from it to the scores."""
    tap, seen = net.tap(layer), {}

    def keep(module, inputs, output):
        seen["map"] = output.detach()

    handle = tap.register_forward_hook(keep)
    with torch.no_grad():
        net(x)
    handle.remove()

    def head(feature_map):
        # What stands before the layer is computed in vain and thrown away.
        handle = tap.register_forward_hook(lambda module, inputs, output: feature_map)
        try:
            # What goes round the layer is each image's own.
            return net(x if len(x) == len(feature_map) else x.expand(len(feature_map), *x.shape[1:]))
        finally:
            handle.remove()

    return seen["map"], head


def gradient(head, feature_map, target):
    feature_map = feature_map.clone().requires_grad_()
    out, = torch.autograd.grad(target(head(feature_map)).sum(), feature_map)
    return out


def weighted(weights, feature_map):
    return (weights[:, :, None, None] * feature_map).sum(1).double().numpy()


def smooth_gradcam_plus_plus(net, x, layers, target, given):
    """Omeiza et al. 2019, with S_k of the clean image: alpha = D2 / (2 D2 + S_k D3 + 1e-6), where
    Dn is the mean over the noisy images of g^n; w_k = sum over p of alpha max(D1, 0). Without noise
    it is grad-cam's Grad-CAM++."""
    clean, _ = features_and_head(net, x, layers[0])
    powers = [0, 0, 0]
    noise = given["noise"].to(x.dtype)
    for one in noise:
        g = gradient(*reversed(features_and_head(net, x + one, layers[0])), target)
        powers = [power + g ** (n + 1) / len(noise) for n, power in enumerate(powers)]
    total = clean.sum((2, 3), keepdim=True)
    alpha = powers[1] / (2 * powers[1] + total * powers[2] + 1e-6)
    alpha = torch.where(powers[1] != 0, alpha, 0)
    weights = (alpha * powers[0].clamp(min=0)).sum((2, 3))
    return {"feature_map": weighted(weights, clean), "package_map": None}


def ablationcam(net, x, layers, target, given):
    """Desai and Ramaswamy 2020: w_k = (y - y with channel k zero) / y."""
    feature_map, head = features_and_head(net, x, layers[0])
    weights = torch.zeros(feature_map.shape[:2], dtype=x.dtype)
    with torch.no_grad():
        score = target(head(feature_map))
        for k in range(feature_map.shape[1]):
            ablated = feature_map.clone()
            ablated[:, k] = 0
            weights[:, k] = (score - target(head(ablated))) / score
    return {"feature_map": weighted(weights, feature_map), "package_map": None}
