"""The captioner and the question answerer for scenes of shapes, each with an LSTM.

Both split like the demo's other networks: `features` ends in the last spatial map.
"""

import torch
from torch import nn

from shapes_scenes import ANSWERS, COLOURS, QUESTION_WORDS, SHAPES, SIZES, WORDS


def features(channels: int, side: int) -> nn.Sequential:
    """Four convolutions with batch normalisation, to 16 x 16 or 8 x 8."""
    layers, inputs = [], 3
    for outputs, stride in ((16, 2), (32, 2), (48, 16 // side), (channels, 1)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        inputs = outputs
    layers[-2].weight.requires_grad_(False)  # so that few values is what a small mean of them means
    return nn.Sequential(*layers)


class Captioner(nn.Module):
    """Show and tell: the picture is the first token, the words so far follow, and each row scores the next.

    While it learns, small heads say the attributes of both things from the picture's token: a
    language model alone learns fluent sentences about nothing. They are no part of what is exported.
    """

    # Few channels that see little around their place: one means the same everywhere, as Grad-CAM
    # takes it to, and it is where the thing is.
    CHANNELS, SIDE, TOKEN = 12, 16, 96

    def __init__(self):
        super().__init__()
        self.features = features(self.CHANNELS, self.SIDE)
        self.picture = nn.Sequential(nn.Linear(self.CHANNELS * self.SIDE ** 2, 64), nn.ReLU(), nn.Linear(64, self.TOKEN))
        self.embedding = nn.Embedding(len(WORDS), self.TOKEN)
        self.lstm = nn.LSTM(self.TOKEN, self.TOKEN, batch_first=True)
        self.words = nn.Linear(self.TOKEN, len(WORDS))
        attributes = 2 * [len(SIZES), len(COLOURS), len(SHAPES)] + [2]
        self.attributes = nn.ModuleList(
            nn.Sequential(nn.Linear(self.TOKEN, 64), nn.ReLU(), nn.Linear(64, count)) for count in attributes)

    def token(self, image: torch.Tensor) -> torch.Tensor:
        return self.picture(self.features(image).flatten(1))

    def decode(self, token: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        said = torch.cat([token[:, None], self.embedding(words)], 1)
        return self.words(self.lstm(said)[0][:, 1:])

    def forward(self, image: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return self.decode(self.token(image), words)


class Answerer(nn.Module):
    """The question, read by an LSTM, weighs the picture's channels; what remains is looked at and pooled."""

    CHANNELS, SIDE, WORD, QUESTION = 48, 8, 24, 64

    def __init__(self):
        super().__init__()
        self.features = features(self.CHANNELS, self.SIDE)
        self.embedding = nn.Embedding(len(QUESTION_WORDS), self.WORD)
        self.lstm = nn.LSTM(self.WORD, self.QUESTION, batch_first=True)
        self.weights = nn.Linear(self.QUESTION, self.CHANNELS)
        self.look = nn.Sequential(nn.Conv2d(self.CHANNELS, 64, 3, padding=1), nn.ReLU())
        self.answers = nn.Sequential(nn.Linear(2 * 64, 64), nn.ReLU(), nn.Linear(64, len(ANSWERS)))

    def answer(self, features: torch.Tensor, question: torch.Tensor) -> torch.Tensor:
        read = self.lstm(self.embedding(question))[0][:, -1]
        seen = self.look(features * self.weights(read)[:, :, None, None])
        return self.answers(torch.cat([seen.amax((2, 3)), seen.mean((2, 3))], 1))

    def forward(self, image: torch.Tensor, question: torch.Tensor) -> torch.Tensor:
        return self.answer(self.features(image), question)
