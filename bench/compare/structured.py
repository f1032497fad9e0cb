#!/usr/bin/env python3
"""The map of a target of the shared networks (../shared/structured beside the checkout: detectors, text through
LSTMs, policies, captions, sound, volumes), by fovea and by PyTorch doing the same by hand: the file operator by
operator, a gradient to the layer and no further, Grad-CAM's sum or HiResCAM's product. Maps are compared first.

    python bench/compare/structured.py --build build/release

Each round runs fovea, PyTorch op by op and PyTorch's trace of that (no Python between the operators, where it can
be traced) one after the other, each in a process of its own; what is told is the median of the rounds' medians.
Development only: wants torch, onnx and numpy. On a machine that does nothing else.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "structured"
FACE, OCR = "/conv2/conv2.2/Clip_output_0", "hardswish_17.tmp_0"
# Of an embedding: all elements, by those of the example's reference over their length.
REFERENCE = "reference"
# Example: the layer, the value and the element that is explained, the method.
TARGETS = {
    "audio_basic_pitch_op15__note48_frame100": ("Relu__38:0", "StatefulPartitionedCall:1", (0, 100, 48), "hirescam"),
    "cap_shapes_lstm_op18__word_2_red": ("relu_3", "word_logits", (0, 2, 7), "gradcam"),
    "det_ultraface_rfb320_ssd_op9__box4381_logit_margin": ("360", "459", (0, 4381, 1), "hirescam"),
    "det_yolox_nano_op11__anchor3462_class16_logit": ("1112", "1129", (0, 16, 6, 4), "hirescam"),
    "embed_mobilefacenet_op18__dot_with_unit_reference": (FACE, "output0", REFERENCE, "gradcam"),
    "ocr_ppocr_en_bilstm_ctc_op12__step2_char_f_prepool": (OCR, "ctc_fc.tmp_1", (0, 2, 55), "hirescam"),
    "rl_a3c_breakout_gru_op14__action": ("/Elu_3_output_0", "action_logits", (0, 2), "gradcam"),
    "rl_a3c_breakout_grucell_op18__action": ("val_16", "action_logits", (0, 2), "gradcam"),
    "rl_ppo_mario_op18__action": ("relu_3", "action_logits", (0, 3), "gradcam"),
    "rl_unity_gridworld_argmax_op9__action": ("16", "22", (0, 4), "gradcam"),
    "rl_unity_visualfood_2in_op9__action": ("39", "63", (0, 0), "gradcam"),
    "seg3d_meshnet5_brain_op13__voxel_41_34_47": ("30", "logits", (0, 1, 41, 34, 47), "hirescam"),
    "seg_sinet_portrait_op12__pixel_160_160": ("684", "819", (0, 1, 160, 160), "hirescam"),
    "vqa_easy_nhwc_op13__color": ("conv2d_3", "logits", (0, 5), "gradcam"),
}


# Specialised for what a first call has seen, the trace of two LSTMs step by step compiles for minutes.
NOT_SPECIALISED = {"ocr_ppocr_en_bilstm_ctc_op12__step2_char_f_prepool"}
WARM = 3  # calls at least: a trace is compiled in the second


def reference_of(example):
    """The direction of what an embedding is compared with."""
    reference = np.load(SHARED / "examples" / f"{example}.npz")["reference"].astype(np.float64)
    return reference / np.linalg.norm(reference)


def target_of(example):
    """As fovea explain takes it."""
    _, value, at, _ = TARGETS[example]
    if at != REFERENCE:
        return f'"{value}"[{",".join(map(str, at))}]'
    terms = (f'{factor!r}*"{value}"[0,{i}]' for i, factor in enumerate(reference_of(example).tolist()))
    return "+".join(terms).replace("+-", "-")


def feeds_of(example):
    model = example.split("__")[0]
    found = {}
    for file in sorted((SHARED / "examples").glob(f"{model}__*.npz")):
        arrays = np.load(file, allow_pickle=True)
        for key in arrays.files:
            if key.startswith("in/"):
                found.setdefault(key[3:].replace("_bgr_uint8", ""), arrays[key])
    for key, value in found.items():
        if value.dtype == np.uint8:
            x = value.astype(np.float64)
            if model.startswith("seg_sinet"):
                x = (x - [102.890434, 111.25247, 126.91212]) / [62.93292, 62.82138, 66.355705] / 255
            found[key] = x.astype(np.float32).transpose(2, 0, 1)[None]
    return found


def cut(model, value):
    """The file as far as the value: what lies behind it is nobody's work."""
    import onnx
    wanted, kept = {value}, []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    for inner in attribute.g.node:
                        wanted |= set(inner.input)
    del model.graph.node[:]
    model.graph.node.extend(reversed(kept))
    return model


def torch_worker(example, traced, seconds, threads):
    import time
    import onnx
    import torch
    sys.path.insert(0, str(SHARED))
    import oracle
    torch.set_num_threads(threads)
    layer, value, at, method = TARGETS[example]
    model = cut(onnx.load(SHARED / "models" / f"{example.split('__')[0]}.onnx"), value)
    feeds = feeds_of(example)
    names = list(feeds)
    # Weights are read once.
    weights = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
    del model.graph.initializer[:]

    def forward(*tensors):
        env = oracle.run(model, {}, watch=(layer,), start={**weights, **dict(zip(names, tensors))})
        return env[layer], env[value]

    tensors = tuple(torch.as_tensor(np.asarray(feeds[name])) for name in names)
    network = forward
    if traced:
        if example in NOT_SPECIALISED:
            torch._C._jit_set_profiling_executor(False)

        def front(*inputs):
            return oracle.run(cut(onnx.ModelProto.FromString(model.SerializeToString()), layer), {},
                              start={**weights, **dict(zip(names, inputs))})[layer]

        behind = cut(onnx.ModelProto.FromString(model.SerializeToString()), value)

        def back(map_, *inputs):
            return oracle.run(behind, {}, start={**weights, **dict(zip(names, inputs)), layer: map_})[value]

        with torch.no_grad():
            first = torch.jit.trace(front, tensors, check_trace=False)
            middle = first(*tensors)
        second = torch.jit.trace(back, (middle, *tensors), check_trace=False)

        def network(*inputs):
            with torch.no_grad():
                map_ = first(*inputs)
            map_.requires_grad_(True)
            return map_, second(map_, *inputs)

    reference = torch.tensor(reference_of(example), dtype=torch.float32) if at == REFERENCE else None

    def once():
        map_, scores = network(*tensors)
        score = scores[at] if reference is None else scores[0] @ reference
        gradient, = torch.autograd.grad(score, map_)
        with torch.no_grad():
            axes = tuple(range(2, map_.dim()))
            weight = gradient.mean(axes, keepdim=True) if method == "gradcam" else gradient
            return torch.relu((weight * map_).sum(1)), score

    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < 0.3 * seconds or calls < WARM:
        map_, score = once()
        calls += 1
    ms, begin = [], time.perf_counter()
    while not ms or time.perf_counter() - begin < seconds:
        before = time.perf_counter()
        map_, score = once()
        ms.append(1e3 * (time.perf_counter() - before))
    print(json.dumps({"ms": ms, "score": float(score), "map": map_.flatten().tolist()}))


def fovea_worker(program, example, folder, seconds, threads):
    layer, _, _, method = TARGETS[example]
    inputs = []
    for i, (name, array) in enumerate(feeds_of(example).items()):
        np.save(folder / f"{i}.npy", np.asarray(array).astype(np.float32))
        inputs += ["--input", f"{name}={folder / f'{i}.npy'}"]
    return [str(program), str(SHARED / "models" / f"{example.split('__')[0]}.onnx"), *inputs, "--layer", layer,
            "--target", target_of(example), "--method", method, "--threads", str(threads),
            "--seconds", str(seconds)]


def measure(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip().splitlines()[-1:]
    return json.loads(done.stdout), None


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", type=Path, default=ROOT / "build/release")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=1)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--only", nargs="*", help="parts of examples' names")
    arguments.add_argument("--torch-worker", nargs=2, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.torch_worker:
        return torch_worker(given.torch_worker[0], given.torch_worker[1] == "traced", given.seconds, given.threads)
    ratios, traces = [], []
    with tempfile.TemporaryDirectory() as folder:
        for example in TARGETS:
            if given.only and not any(part in example for part in given.only):
                continue
            commands = {"fovea": fovea_worker(given.build / "bench/models/explain_target", example, Path(folder),
                                              given.seconds, given.threads)}
            for kind in ("eager", "traced"):
                commands[kind] = [sys.executable, __file__, "--torch-worker", example, kind, "--seconds",
                                  str(given.seconds), "--threads", str(given.threads)]
            times, maps, failures = {}, {}, {}
            for _ in range(given.rounds):
                for kind, command in commands.items():
                    result, failure = measure(command) if kind not in failures else (None, failures[kind])
                    if result is None:
                        failures[kind] = failure
                        continue
                    times.setdefault(kind, []).append(statistics.median(result["ms"]))
                    maps[kind] = np.asarray(result["map"])
            name = example.split("__")[0]
            if "fovea" not in times or "eager" not in times:
                print(f"{name}: {failures}")
                return 1
            if not maps["eager"].any():
                print(f"{name}: the map is empty: there is nothing to compare", file=sys.stderr)
                return 1
            apart = np.abs(maps["fovea"] - maps["eager"]).max() / np.abs(maps["eager"]).max()
            if apart > 2e-3:
                print(f"{name}: the maps are {apart:.1e} apart", file=sys.stderr)
                return 1
            middle = {kind: statistics.median(all_) for kind, all_ in times.items()}
            ratios.append(middle["eager"] / middle["fovea"])
            told = f"{middle['traced']:.2f} traced ({middle['traced'] / middle['fovea']:.1f})" \
                if "traced" in middle else "not to be traced"
            if "traced" in middle:
                traces.append(min(middle["traced"], middle["eager"]) / middle["fovea"])
            print(f"{name}: fovea {middle['fovea']:.2f} ms, PyTorch {middle['eager']:.2f} ({ratios[-1]:.1f}), {told}; "
                  f"maps {apart:.0e} apart", flush=True)
    print(f"geometric mean: {np.exp(np.mean(np.log(ratios))):.2f} times, least {min(ratios):.2f}"
          + (f"; the faster of eager and traced: {np.exp(np.mean(np.log(traces))):.2f} times, least {min(traces):.2f}"
             if traces else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
