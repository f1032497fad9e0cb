"""Trains the captioner and the question answerer on drawn scenes, and writes what the demo bundles of them.

    python tools/demo/train_shapes.py

The scenes are the same on every machine, the weights nearly so: PyTorch's sums differ in their last
bits from one processor to another. Some five minutes on two cores.
"""

import argparse
import json
import pathlib
import time

import numpy as np
import onnx
import onnx.reference
import torch
from PIL import Image
from torch.nn import functional

from shapes_networks import Answerer, Captioner
from shapes_scenes import (ANSWERS, COLOURS, FIRST_TRAINING_SEED, MOST_WORDS, QUESTION_WORDS, SHAPES, SIDE,
                           SIZES, WORDS, ask, draw, question_ids, word_ids)

HERE = pathlib.Path(__file__).resolve().parent
SCENES = 24_000
UNSEEN = range(1001, 1601)  # seeds
BUNDLED = [4, 19, 24, 41, 52]  # of two different shapes, so that each is meant by its name
BATCH = 64
QUESTIONS = 8  # of a scene
QUIET = 0.2  # weight of the last map's mean in the loss: where nothing is, nothing is to be felt
START = WORDS.index("<s>")


def pixels_of(scenes: list) -> torch.Tensor:
    return torch.from_numpy(np.stack([scene.rgb for scene in scenes])).permute(0, 3, 1, 2)


def prepared(pixels: torch.Tensor) -> torch.Tensor:
    """As the models' "fovea.preprocess" says."""
    return (pixels.to(torch.float32) / 255 - 0.5) / 0.5


def to_input(scenes: list) -> torch.Tensor:
    return prepared(pixels_of(scenes))


def captions_of(scenes: list) -> torch.Tensor:
    return torch.tensor([word_ids(scene.caption()) for scene in scenes])


def said_before(captions: torch.Tensor) -> torch.Tensor:
    start = torch.full((len(captions), 1), START)
    return torch.cat([start, captions[:, :-1]], 1)


def attributes_of(scenes: list) -> torch.Tensor:
    return torch.tensor([[number for thing in scene.things for number in (
        SIZES.index(thing.size), list(COLOURS).index(thing.colour), SHAPES.index(thing.shape))]
        + [int(scene.above)] for scene in scenes])


def caption_loss(network, image, captions, attributes):
    features = network.features(image)
    token = network.picture(features.flatten(1))
    logits = network.decode(token, said_before(captions))
    loss = functional.cross_entropy(logits.flatten(0, 1), captions.flatten(), ignore_index=0)
    heads = [functional.cross_entropy(head(token), attributes[:, i])
             for i, head in enumerate(network.attributes)]
    return loss + 0.3 * sum(heads) + QUIET * features.mean()


def train(network, steps: int, rate: float, loss_of):
    network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    began, losses = time.time(), []
    for step in range(1, steps + 1):
        loss = loss_of(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 250 == 0 or step == steps:
            print(f"step {step} of {steps}, {time.time() - began:.0f} s, "
                  f"loss {np.mean(losses[-250:]):.4f}", flush=True)
    return network.eval()


def greedy(network, image: torch.Tensor) -> torch.Tensor:
    """Word ids [N, MOST_WORDS]; what follows an end is 0."""
    said = torch.full((len(image), 1), START)
    with torch.no_grad():
        token = network.token(image)
        for _ in range(MOST_WORDS):
            said = torch.cat([said, network.decode(token, said)[:, -1:].argmax(2)], 1)
    words = said[:, 1:]
    ended = (words == WORDS.index("</s>")).cumsum(1)
    return torch.where((ended > 1) | ((ended == 1) & (words != WORDS.index("</s>"))), 0, words)


def asked_of(scenes: list, seed: int, count: int):
    """`count` questions about each scene: words [N, 8], answers [N], scenes' indices [N]."""
    random = np.random.RandomState(seed)
    asked = [(index, *ask(scene, random)[:2]) for index, scene in enumerate(scenes) for _ in range(count)]
    return (torch.tensor([question_ids(question) for _, question, _ in asked]),
            torch.tensor([ANSWERS.index(answer) for _, _, answer in asked]),
            torch.tensor([index for index, _, _ in asked]))


def grad_cam(features: torch.Tensor, score: torch.Tensor) -> np.ndarray:
    """At the picture's size: [64, 64]."""
    gradient, = torch.autograd.grad(score, features, retain_graph=True)
    cam = torch.relu((gradient.mean((2, 3), keepdim=True) * features.detach()).sum(1, keepdim=True))
    return functional.interpolate(cam, (SIDE, SIDE), mode="bilinear", align_corners=False)[0, 0].numpy()


def points_at(cam: np.ndarray, box: tuple) -> bool:
    y, x = np.unravel_index(cam.argmax(), cam.shape)
    return bool(cam.max() > 0 and box[0] <= x < box[2] and box[1] <= y < box[3])


def colours_point(network, scenes: list) -> float:
    """How often the map of a colour's logit has its maximum in the box of the thing of that colour."""
    hits = []
    for scene in scenes:
        features = network.features(to_input([scene]))
        logits = network.decode(network.picture(features.flatten(1)), said_before(captions_of([scene])))
        said = scene.caption().split()
        for thing in scene.things:
            at = said.index(thing.colour)
            cam = grad_cam(features, logits[0, at, WORDS.index(thing.colour)])
            hits.append(points_at(cam, thing.box))
    return float(np.mean(hits))


def answers_point(network, scenes: list) -> float:
    """The same of an answer's map, and the thing that is asked about."""
    hits, random = [], np.random.RandomState(2)
    for scene in scenes:
        question, answer, index = ask(scene, random)
        if index is None:
            continue
        features = network.features(to_input([scene]))
        logits = network.answer(features, torch.tensor([question_ids(question)]))
        hits.append(points_at(grad_cam(features, logits[0, ANSWERS.index(answer)]), scene.things[index].box))
    return float(np.mean(hits))


def export(network, path: pathlib.Path, names: list, inputs: tuple, task: dict):
    """One ONNX file with weights and metadata, checked against PyTorch."""
    part = path.with_suffix(".part.onnx")
    torch.onnx.export(network, inputs, part, dynamo=True, external_data=False, verbose=False,
                      input_names=names[:2], output_names=names[2:])
    model = onnx.load(part)
    del model.metadata_props[:]
    recipe = {"order": "RGB", "scale": 1 / 255, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
              "geometry": "stretch", "width": SIDE, "height": SIDE}
    onnx.helper.set_model_props(model, {"fovea.preprocess": json.dumps(recipe), "fovea.task": json.dumps(task)})
    for node in model.graph.node:  # where in PyTorch a node came from: on no one's machine but the trainer's
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    with torch.no_grad():
        expected = network(*inputs).numpy()
    given = onnx.reference.ReferenceEvaluator(model).run(
        None, {name: value.numpy() for name, value in zip(names, inputs)})[0]
    if np.abs(given - expected).max() > 1e-3:
        raise RuntimeError(f"{path.name}: the exported model does not compute what PyTorch does")
    onnx.save(model, part)
    part.replace(path)
    print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def train_captioner(scenes: list, unseen: list, steps: int, path: pathlib.Path):
    network = Captioner()
    pixels, captions, attributes = pixels_of(scenes), captions_of(scenes), attributes_of(scenes)

    def loss(_):
        some = torch.randint(len(scenes), (BATCH,))
        return caption_loss(network, prepared(pixels[some]), captions[some], attributes[some])

    train(network, steps, 3e-3, loss)
    right = (greedy(network, to_input(unseen)) == captions_of(unseen)).all(1).double().mean().item()
    print(f"caption: {right:.1%} of {len(unseen)} unseen scenes' captions exact; colours point at "
          f"their things in {colours_point(network, unseen[:200]):.1%}", flush=True)
    export(network, path, ["image", "words", "word_logits"],
           (to_input(unseen[:1]), said_before(captions_of(unseen[:1]))),
           {"task": "caption", "names": WORDS})


def train_answerer(scenes: list, unseen: list, steps: int, path: pathlib.Path):
    network = Answerer()
    pixels = pixels_of(scenes)
    questions, answers, of = asked_of(scenes, FIRST_TRAINING_SEED, QUESTIONS)

    def loss(_):
        some = torch.randint(len(questions), (BATCH,))
        features = network.features(prepared(pixels[of[some]]))
        logits = network.answer(features, questions[some])
        return functional.cross_entropy(logits, answers[some]) + QUIET * features.mean()

    train(network, steps, 3e-3, loss)
    questions, answers, of = asked_of(unseen, 1, 4)
    with torch.no_grad():
        right = (network(to_input(unseen)[of], questions).argmax(1) == answers).double().mean().item()
    print(f"answer: {right:.1%} of {len(questions)} questions about unseen scenes right; maps point at the "
          f"thing asked about in {answers_point(network, unseen):.1%}", flush=True)
    export(network, path, ["image", "question", "answers"], (to_input(unseen[:1]), questions[:1]),
           {"task": "answer", "names": ANSWERS,
            "inputs": {"question": {"role": "question", "words": QUESTION_WORDS, "code": "ids"}}})


def write_scenes(folder: pathlib.Path):
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    for scene in map(draw, BUNDLED):
        name = f"shapes_{scene.seed}.png"
        Image.fromarray(scene.rgb).save(folder / name, optimize=True)
        truth.append({"file": name, "seed": scene.seed, "caption": scene.caption(), "objects": [
            {"size": t.size, "colour": t.colour, "shape": t.shape, "box": t.box} for t in scene.things]})
    (folder / "scenes.json").write_text(json.dumps(truth, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="gets models/ and shapes/")
    parser.add_argument("--only", choices=["caption", "answer"], help="train this one alone")
    parser.add_argument("--caption-steps", type=int, default=2600, help=f"batches of {BATCH}")
    parser.add_argument("--answer-steps", type=int, default=4800, help=f"batches of {BATCH}")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)

    models = options.out / "models"
    models.mkdir(parents=True, exist_ok=True)
    write_scenes(options.out / "shapes")
    scenes = [draw(FIRST_TRAINING_SEED + i) for i in range(SCENES)]
    unseen = [draw(seed) for seed in UNSEEN]
    for name, trained, steps in (("caption", train_captioner, options.caption_steps),
                                 ("answer", train_answerer, options.answer_steps)):
        if options.only in (None, name):
            torch.manual_seed(options.seed)
            trained(scenes, unseen, steps, models / f"{name}.onnx")


if __name__ == "__main__":
    main()
