#!/usr/bin/env python3
"""A small captioner that looks at the picture again for each word (soft attention, as Xu et al. 2015), with drawn
weights, as exporters write it, and what PyTorch's autograd says of it:

    captioner/encoder.onnx   image -> features
    captioner/decoder.onnx   one word: word, features, h, c -> word_logits, h_out, c_out, looked
    captioner/merged.onnx    the two in one file: image, word, h, c
    captioner/teacher.onnx   all words at once, given those before: image, words
    captioner/golden.json    the image, the caption by greedy search, scores, Grad-CAM of each word and of the caption

    python3 tests/compose/make_captioner.py

It needs torch and onnx (tests/golden/requirements.txt). The seed is the first whose caption has an end and words of
several kinds.
"""

import json
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent / "captioner"
WORDS = ["<pad>", "<s>", "</s>", "red", "green", "blue", "big", "small", "dot"]
START, END, ROOM, SIDE, CHANNELS, STATE, WORD = 1, 2, 8, 16, 6, 10, 5


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, CHANNELS, 3, 2, 1), nn.ReLU())

    def forward(self, image):
        return self.layers(image)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(WORDS), WORD)
        self.of_place, self.of_state, self.look = nn.Linear(CHANNELS, 7), nn.Linear(STATE, 7), nn.Linear(7, 1)
        self.cell = nn.LSTMCell(WORD + CHANNELS, STATE)
        self.words = nn.Linear(STATE + CHANNELS, len(WORDS))

    def forward(self, word, features, h, c):
        places = features.flatten(2).transpose(1, 2)
        looked = torch.softmax(self.look(torch.tanh(self.of_place(places) + self.of_state(h)[:, None])), 1)
        seen = (looked * places).sum(1)
        h, c = self.cell(torch.cat([self.embedding(word), seen], 1), (h, c))
        return self.words(torch.cat([h, seen], 1)), h, c, looked[:, :, 0]


class Merged(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, image, word, h, c):
        return self.decoder(word, self.encoder(image), h, c)


class Teacher(Merged):
    def forward(self, image, words):
        features = self.encoder(image)
        h = c = features.new_zeros(1, STATE)
        rows = []
        for t in range(words.shape[1]):
            row, h, c, _ = self.decoder(words[:, t], features, h, c)
            rows.append(row)
        return torch.stack(rows, 1)


def network(seed):
    torch.manual_seed(seed)
    out = Encoder(), Decoder()
    for one in out:
        for parameter in one.parameters():
            parameter.data *= 2.5
    return out


def written(encoder, decoder, image):
    tokens, features = [START], encoder(image)
    h = c = torch.zeros(1, STATE)
    while len(tokens) <= ROOM and tokens[-1:] != [END]:
        scores, h, c, _ = decoder(torch.tensor(tokens[-1:]), features, h, c)
        tokens.append(int(scores.argmax()))
    return tokens


def good(tokens):
    words = tokens[1:-1]
    return tokens[-1] == END and len(words) >= 4 and len(set(words)) >= 3 and min(words) > END


def drawn():
    for seed in range(100_000):
        encoder, decoder = network(seed)
        image = torch.rand(1, 3, SIDE, SIDE)
        with torch.no_grad():
            tokens = written(encoder, decoder, image)
        if good(tokens):
            return seed, encoder, decoder, image, tokens
    raise SystemExit("no seed")


def cam(features, score):
    """Grad-CAM before it is scaled."""
    slope, = torch.autograd.grad(score, features, retain_graph=True)
    return torch.relu((slope.mean((2, 3), keepdim=True) * features).sum(1))[0]


def main():
    seed, encoder, decoder, image, tokens = drawn()
    FOLDER.mkdir(exist_ok=True)
    state, word = torch.zeros(1, STATE), torch.tensor([START])
    words = torch.tensor([(tokens[:-1] + ROOM * [0])[:ROOM]])
    features = encoder(image)
    said = ["word_logits", "h_out", "c_out", "looked"]

    def export(name, module, inputs, names, outputs):
        torch.onnx.export(module.eval(), inputs, FOLDER / f"{name}.onnx", input_names=names, output_names=outputs,
                          dynamo=False, opset_version=17)

    export("encoder", encoder, (image,), ["image"], ["features"])
    export("decoder", decoder, (word, features.detach(), state, state), ["word", "features", "h", "c"], said)
    export("merged", Merged(encoder, decoder), (image, word, state, state), ["image", "word", "h", "c"], said)
    export("teacher", Teacher(encoder, decoder), (image, words), ["image", "words"], ["word_logits"])

    teacher = Teacher(encoder, decoder)
    kept = {}
    encoder.register_forward_hook(lambda module, inputs, output: kept.update(features=output))
    rows = teacher(image, words)[0, :len(tokens) - 1]
    logs = rows.log_softmax(1)
    features = kept["features"]
    picked = [rows[t, tokens[t + 1]] for t in range(len(tokens) - 2)]
    caption = sum(logs[t, tokens[t + 1]] for t in range(len(tokens) - 2))
    numbers = lambda tensor: [float(v) for v in tensor.detach().flatten()]
    golden = {"torch": torch.__version__, "seed": seed, "names": WORDS, "tokens": tokens, "image": numbers(image),
              "logits": [numbers(row) for row in rows], "caption": caption.item(),
              "word_maps": [numbers(cam(features, score)) for score in picked], "caption_map": numbers(cam(features, caption))}
    (FOLDER / "golden.json").write_text(json.dumps(golden) + "\n")
    print(seed, [WORDS[t] for t in tokens])


main()
