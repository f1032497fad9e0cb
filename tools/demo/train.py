"""Trains the demo's networks on drawn scenes and writes everything the demo bundles.

    cmake --build build/release --target fovea-demo-scenes
    python tools/demo/train.py --generator build/release/tools/demo/fovea-demo-scenes

The scenes are the same on every machine, the weights nearly so: PyTorch's sums differ in their last
bits from one processor to another. Some ten minutes on two cores.
"""

import argparse
import concurrent.futures
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnx.reference
import torch
from PIL import Image
from torch.nn import functional

from networks import NETWORKS

HERE = pathlib.Path(__file__).resolve().parent
FIRST_TRAINING_SEED = 1_000_000  # scene.hpp: smaller seeds are held out
FIRST_VALIDATION_SEED = 500_000
HELD_OUT = (1, 200)  # first seed, count: the scenes that the C++ test measures on too
BUNDLED = 5  # scenes of seeds 1.. that come with the demo
BATCH = 16
CHUNK = 60 * BATCH  # scenes drawn at a time, and used twice: as drawn, and mirrored
STEPS_PER_CHUNK = 2 * CHUNK // BATCH
RATE = 0.005


class Generator:
    """The program fovea-demo-scenes."""

    def __init__(self, program: pathlib.Path):
        self.program = program
        run = subprocess.run([program, "--labels"], check=True, capture_output=True, text=True)
        self.labels = run.stdout.splitlines()

    def draw(self, seed: int, count: int):
        """Pictures u8 [N, H, W, 3], owners u8 [N, H, W], and the list that scenes.json holds."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([self.program, "--seed", str(seed), "--count", str(count),
                            "--format", "raw", "--out", folder], check=True)
            folder = pathlib.Path(folder)
            truth = json.loads((folder / "scenes.json").read_text())
            shape = (count, truth[0]["height"], truth[0]["width"])
            rgb = np.fromfile(folder / "rgb.bin", np.uint8).reshape(*shape, 3)
            owner = np.fromfile(folder / "owner.bin", np.uint8).reshape(shape)
        return rgb, owner, truth

    def present(self, truth) -> torch.Tensor:
        """1 for each class that a scene shows: [N, classes]."""
        target = torch.zeros(len(truth), len(self.labels))
        for row, scene in zip(target, truth):
            for thing in scene["objects"]:
                row[thing["class"]] = 1
        return target


def to_input(rgb: np.ndarray) -> torch.Tensor:
    """As the models' "fovea.preprocess" says."""
    x = torch.from_numpy(np.ascontiguousarray(rgb)).permute(0, 3, 1, 2).to(torch.float32, copy=True)
    return ((x / 255 - 0.5) / 0.5).contiguous(memory_format=torch.channels_last)


def recipe(height: int, width: int) -> dict:
    return {"order": "RGB", "scale": 1 / 255, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
            "geometry": "stretch", "width": width, "height": height}


def accuracy(network, generator: Generator) -> float:
    """Share of scenes with every class right, present or absent."""
    rgb, _, truth = generator.draw(FIRST_VALIDATION_SEED, 200)
    network.eval()
    with torch.no_grad():
        logits = torch.cat([network(to_input(rgb[i:i + 50])) for i in range(0, len(rgb), 50)])
    return ((logits > 0) == (generator.present(truth) > 0)).all(1).double().mean().item()


def batches(generator: Generator, steps: int):
    """Inputs and targets; the next chunk of scenes is drawn while one is used."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        seed = FIRST_TRAINING_SEED
        waiting = pool.submit(generator.draw, seed, CHUNK)
        for step in range(steps):
            place = step * BATCH % CHUNK
            if step % STEPS_PER_CHUNK == 0:
                rgb, _, truth = waiting.result()
                present = generator.present(truth)
                seed += CHUNK
                if step + STEPS_PER_CHUNK < steps:
                    waiting = pool.submit(generator.draw, seed, CHUNK)
            chosen = rgb[place:place + BATCH]
            if step % STEPS_PER_CHUNK * BATCH >= CHUNK:
                chosen = chosen[:, :, ::-1]
            yield to_input(chosen), present[place:place + BATCH]


class Pupil:
    """A network with all that its training needs."""

    def __init__(self, name: str, classes: int, steps: int, seed: int):
        torch.manual_seed(seed)
        self.name = name
        self.network = NETWORKS[name](classes).to(memory_format=torch.channels_last)
        slow = self.network.slow_parameters()
        rest = [p for p in self.network.parameters() if not any(p is q for q in slow)]
        groups, rates = [{"params": rest}], [RATE]
        if slow:
            groups.append({"params": slow})
            rates.append(RATE / 10)
        self.optimizer = torch.optim.AdamW(groups, lr=RATE, weight_decay=0.02)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, rates, total_steps=steps, pct_start=0.15)

    def learn(self, image: torch.Tensor, present: torch.Tensor) -> float:
        self.network.train()
        loss = functional.binary_cross_entropy_with_logits(self.network(image), present)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        return loss.item()


def train(names, generator: Generator, steps: int, seed: int):
    """All networks on the same scenes, side by side."""
    pupils = [Pupil(name, len(generator.labels), steps, seed) for name in names]
    began, losses = time.time(), []
    for step, (image, present) in enumerate(batches(generator, steps), start=1):
        losses.append([pupil.learn(image, present) for pupil in pupils])
        if step % STEPS_PER_CHUNK == 0 or step == steps:
            recent = np.mean(losses[-STEPS_PER_CHUNK:], axis=0)
            means = ", ".join(f"{p.name} {loss:.4f}" for p, loss in zip(pupils, recent))
            print(f"step {step} of {steps}, {time.time() - began:.0f} s, loss {means}", flush=True)
    return {pupil.name: pupil.network.eval() for pupil in pupils}


def grad_cam(network, image: torch.Tensor, cls: int) -> torch.Tensor:
    """Grad-CAM of one image [1, 3, H, W], at the image's size; not normalised: [H, W]."""
    features = network.features(image).detach().requires_grad_()
    network.head(features)[0, cls].backward()
    weights = features.grad.mean((2, 3), keepdim=True)
    cam = torch.relu((weights * features.detach()).sum(1, keepdim=True))
    return functional.interpolate(cam, image.shape[2:], mode="bilinear", align_corners=False)[0, 0]


def localisation(network, generator: Generator, first: int, count: int) -> dict:
    """The pointing game on the scenes of some seeds: does the map's maximum fall on the object?

    Every object is explained by its own class, whatever the network predicts; no tolerance; an
    all-zero map is a miss.
    """
    rgb, owner, truth = generator.draw(first, count)
    in_box, on_object, energy = [], [], []
    for picture, owned, scene in zip(rgb, owner, truth):
        image = to_input(picture[None])
        for index, thing in enumerate(scene["objects"]):
            cam = grad_cam(network, image, thing["class"]).numpy()
            y, x = np.unravel_index(cam.argmax(), cam.shape)
            x0, y0, x1, y1 = thing["box"]
            alive = cam.max() > 0
            in_box.append((index, alive and x0 <= x < x1 and y0 <= y < y1))
            on_object.append((index, alive and owned[y, x] == index + 1))
            energy.append(cam[y0:y1, x0:x1].sum() / cam.sum() if alive else 0)

    def share(hits, index=None):
        return round(float(np.mean([hit for i, hit in hits if index in (None, i)])), 4)

    return {"maps": len(in_box), "in_box": share(in_box), "in_box_first": share(in_box, 0),
            "in_box_second": share(in_box, 1), "on_object": share(on_object),
            "energy_in_box": round(float(np.mean(energy)), 4)}


def export(network, path: pathlib.Path, generator: Generator, rgb: np.ndarray):
    """One ONNX file with weights and metadata, checked against PyTorch."""
    # The layout that trains fastest would leave its traces in the file.
    network = network.to(memory_format=torch.contiguous_format)
    image = to_input(rgb).contiguous()
    part = path.with_suffix(".part.onnx")
    torch.onnx.export(network, (image,), part, dynamo=True, external_data=False, verbose=False,
                      input_names=["image"], output_names=["logits"],
                      dynamic_shapes={"image": {0: torch.export.Dim("batch")}})
    model = onnx.load(part)
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {
        "fovea.preprocess": json.dumps(recipe(*rgb.shape[1:3])),
        "fovea.labels": "\n".join(generator.labels),
        "fovea.activation": "sigmoid"})
    onnx.checker.check_model(model, full_check=True)
    with torch.no_grad():
        expected = network(image).numpy()
    given = onnx.reference.ReferenceEvaluator(model).run(None, {"image": image.numpy()})[0]
    if np.abs(given - expected).max() > 1e-3:
        raise RuntimeError(f"{path.name}: the exported model does not compute what PyTorch does")
    onnx.save(model, part)
    part.replace(path)


def write_scenes(folder: pathlib.Path, generator: Generator):
    folder.mkdir(parents=True, exist_ok=True)
    rgb, _, truth = generator.draw(HELD_OUT[0], BUNDLED)
    for picture, scene in zip(rgb, truth):
        scene["file"] = f"scene_{scene['seed']}.png"
        Image.fromarray(picture).save(folder / scene["file"], optimize=True)
    (folder / "scenes.json").write_text(json.dumps(truth, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generator", type=pathlib.Path, required=True,
                        help="the program fovea-demo-scenes")
    parser.add_argument("--out", type=pathlib.Path, default=HERE, help="gets models/ and scenes/")
    parser.add_argument("--only", choices=sorted(NETWORKS), help="train this one alone")
    parser.add_argument("--steps", type=int, default=3000, help=f"batches of {BATCH} scenes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)

    generator = Generator(options.generator.resolve())
    models = options.out / "models"
    models.mkdir(parents=True, exist_ok=True)
    (models / "labels.txt").write_text("\n".join(generator.labels) + "\n")
    write_scenes(options.out / "scenes", generator)
    rgb, _, _ = generator.draw(HELD_OUT[0], 2)

    report_path = models / "report.json"
    report = json.loads(report_path.read_text()) if report_path.exists() else {}
    names = [options.only] if options.only else list(NETWORKS)
    for name, network in train(names, generator, options.steps, options.seed).items():
        print(f"{name}: all classes right in {accuracy(network, generator):.1%} of the validation "
              f"scenes, {localisation(network, generator, FIRST_VALIDATION_SEED, 200)}", flush=True)
        report[name] = localisation(network, generator, *HELD_OUT)
        print(f"{name}: held out {report[name]}", flush=True)
        export(network, models / f"{name}.onnx", generator, rgb)
    report_path.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
