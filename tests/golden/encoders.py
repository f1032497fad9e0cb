"""Small transformers for make_goldens.py, in the manner of nets.py. Their taps are on sequences of
tokens, or on maps with their channels last."""

import torch
from torch import nn

from nets import Net, default, early


class Patches(nn.Module):
    """An image as a sequence of patches, by a convolution, behind `front` tokens of its own."""

    def __init__(self, size, channels, grid, front=0):
        super().__init__()
        self.embed = nn.Conv2d(3, channels, size, size)
        random = torch.Generator().manual_seed(1)  # what initialise() does not see
        self.front = nn.Parameter(torch.randn(1, front, channels, generator=random))
        self.position = nn.Parameter(
            0.3 * torch.randn(1, front + grid[0] * grid[1], channels, generator=random))

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        if self.front.shape[1]:
            x = torch.cat([self.front.expand(len(x), -1, -1), x], 1)
        return x + self.position


class CutPatches(nn.Module):
    """Patches without a convolution: cut out by reshaping, then a linear layer."""

    def __init__(self, size, channels):
        super().__init__()
        self.size, self.embed = size, nn.Linear(3 * size * size, channels)

    def forward(self, x):
        n, c, h, w = x.shape
        s = self.size
        x = x.reshape(n, c, h // s, s, w // s, s).permute(0, 2, 4, 3, 5, 1)
        return self.embed(x.reshape(n, (h // s) * (w // s), s * s * c))


class Attention(nn.Module):
    """Queries, keys and values by one product."""

    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, c))


class TorchAttention(nn.Module):
    """PyTorch's module, as torchvision's networks use it."""

    def __init__(self, channels, heads):
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, heads, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class Block(nn.Module):
    def __init__(self, channels, heads=2, attention=Attention, mark=lambda module: module):
        super().__init__()
        self.norm1, self.norm2 = mark(nn.LayerNorm(channels)), nn.LayerNorm(channels)
        self.attention = attention(channels, heads)
        self.mlp = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(),
                                 nn.Linear(2 * channels, channels))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class First(nn.Module):
    """The class token."""

    def forward(self, x):
        return x[:, 0]


class Tokens(nn.Module):
    """The mean over tokens."""

    def forward(self, x):
        return x.mean(1)


def vit():
    features = nn.Sequential(Patches(6, 16, (6, 8), front=1), early(Block(16)), Block(16),
                             Block(16, mark=default), nn.LayerNorm(16))
    return Net(features, nn.Sequential(First(), nn.Linear(16, 6)))


class Unfolded(nn.Module):
    """Tokens whose patches are a map [n, c, rows, columns] on the way, and tokens again."""

    def __init__(self, grid):
        super().__init__()
        # A pool that changes nothing: the exporter would fold one reshape into the other.
        self.grid, self.map = grid, early(nn.AvgPool2d(1))

    def forward(self, x):
        n, t, c = x.shape
        y = self.map(x[:, 1:].transpose(1, 2).reshape(n, c, *self.grid))
        return torch.cat([x[:, :1], y.flatten(2).transpose(1, 2)], 1)


def vit_unfolded():
    """`vit` with what its second block returns as a map on the way."""
    features = nn.Sequential(Patches(6, 16, (6, 8), front=1), Block(16), Block(16),
                             Unfolded((6, 8)), Block(16, mark=default), nn.LayerNorm(16))
    return Net(features, nn.Sequential(First(), nn.Linear(16, 6)))


def vit_torch_attention():
    features = nn.Sequential(
        Patches(5, 16, (7, 7), front=1), early(Block(16, attention=TorchAttention)),
        Block(16, attention=TorchAttention, mark=default), nn.LayerNorm(16))
    return Net(features, nn.Sequential(First(), nn.Linear(16, 6)))


def vit_registers():
    features = nn.Sequential(Patches(6, 15, (5, 7), front=5), early(Block(15, 3)),
                             Block(15, 3, mark=default), nn.LayerNorm(15))
    return Net(features, nn.Sequential(First(), nn.Linear(15, 5)))


def vit_mean():
    features = nn.Sequential(Patches(6, 16, (6, 6)), early(Block(16)), Block(16),
                             default(nn.LayerNorm(16)))
    return Net(features, nn.Sequential(Tokens(), nn.Linear(16, 5)))


def vit_cut_patches():
    features = nn.Sequential(CutPatches(6, 16), early(Block(16)), Block(16),
                             default(nn.LayerNorm(16)))
    return Net(features, nn.Sequential(Tokens(), nn.Linear(16, 5)))


class Permute(nn.Module):
    def __init__(self, *order):
        super().__init__()
        self.order = order

    def forward(self, x):
        return x.permute(self.order)


class WindowBlock(nn.Module):
    """Swin's: attention within windows of a map with its channels last."""

    def __init__(self, channels, window):
        super().__init__()
        self.window = window
        self.norm, self.attention = nn.LayerNorm(channels), Attention(channels, 2)

    def forward(self, x):
        n, h, w, c = x.shape
        s = self.window
        y = self.norm(x).reshape(n, h // s, s, w // s, s, c).permute(0, 1, 3, 2, 4, 5)
        y = self.attention(y.reshape(-1, s * s, c)).reshape(n, h // s, w // s, s, s, c)
        return x + y.permute(0, 1, 3, 2, 4, 5).reshape(n, h, w, c)


def swin():
    features = nn.Sequential(
        nn.Conv2d(3, 16, 4, 4), Permute(0, 2, 3, 1), nn.LayerNorm(16), early(WindowBlock(16, 3)),
        WindowBlock(16, 3), nn.LayerNorm(16), default(Permute(0, 3, 1, 2)))
    return Net(features, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5)))
