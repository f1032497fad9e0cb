#!/usr/bin/env python3
"""Makes the pictures of docs/tasks.md that the demo's networks cannot show, with the shared ones (../shared/structured
beside the checkout) on drawn inputs.

    python docs/images/tasks.py build/release/tools/fovea

Wants numpy and Pillow. No input is a photo: a line of text, a portrait, a game and a tone are drawn here, and the
detector sees the demo's scene.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
SCENES = HERE.parents[1] / "tools/demo/scenes"
MODELS = HERE.parents[2] / "shared/structured/models"
CHARACTERS = ("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
              "!\"#$%&'()*+,-./")
GAP = 8


def recipe(folder, name, **values):
    (folder / f"{name}.json").write_text(json.dumps(values))
    return folder / f"{name}.json"


def line():
    image = Image.new("RGB", (232, 32), "white")
    ImageDraw.Draw(image).text((6, 3), "fovea 2026 LSTM", fill="black", font=ImageFont.truetype("DejaVuSans.ttf", 22))
    return image


def portrait():
    noise = np.random.default_rng(4).normal(0, 6, (320, 320, 3)) + [150, 170, 180]
    image = Image.fromarray(noise.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 235, 280, 480), fill=(50, 60, 110))
    draw.rectangle((138, 200, 182, 260), fill=(205, 160, 135))
    draw.ellipse((105, 70, 215, 225), fill=(222, 178, 150))
    draw.pieslice((98, 50, 222, 200), 180, 360, fill=(60, 40, 30))
    for x in (139, 181):
        draw.ellipse((x - 9, 130, x + 9, 142), fill="white")
        draw.ellipse((x - 4, 131, x + 5, 141), fill=(40, 30, 30))
    draw.arc((140, 165, 180, 195), 20, 160, fill=(150, 70, 70), width=4)
    draw.line((160, 140, 155, 168, 164, 168), fill=(190, 140, 115), width=3)
    return image.filter(ImageFilter.GaussianBlur(1.2))


def two_faces():
    page = Image.new("RGB", (640, 480), (90, 100, 110))
    page.paste(portrait(), (0, 160))
    page.paste(portrait().transpose(Image.Transpose.FLIP_LEFT_RIGHT), (320, 160))
    return page


def game(ball):
    """Breakout at 80 x 80: walls, bricks, a ball and a paddle."""
    image = Image.new("L", (80, 80), 0)
    draw = ImageDraw.Draw(image)
    for row in range(6):
        draw.rectangle((4, 11 + 3 * row, 75, 13 + 3 * row), fill=150 - 8 * row)
    for wall in ((0, 0, 3, 79), (76, 0, 79, 79), (0, 0, 79, 5)):
        draw.rectangle(wall, fill=110)
    draw.rectangle((36, 26, 47, 28), fill=0)
    draw.rectangle((*ball, ball[0] + 1, ball[1] + 2), fill=160)
    draw.rectangle((30, 77, 37, 79), fill=160)
    return image


def tones():
    """Two seconds as Basic Pitch takes them: three notes, one after the other."""
    rate, samples = 22050, 43844
    time = np.arange(samples) / rate
    sound = np.random.default_rng(2).normal(0, 1e-3, samples)
    for begin, hertz in ((0.15, 261.63), (0.75, 523.25), (1.35, 392.0)):
        inside = np.clip((time - begin) / 0.02, 0, 1) * np.clip((begin + 0.45 - time) / 0.05, 0, 1)
        sound += sum(inside * 0.2 / k * np.sin(2 * np.pi * k * hertz * time) for k in (1, 2, 3))
    return sound.astype(np.float32)[None, :, None]


class Program:
    def __init__(self, program, folder):
        self.program, self.folder = str(pathlib.Path(program).resolve()), folder

    def picture(self, model, photo, *arguments, option="--output"):
        if isinstance(photo, Image.Image):
            photo.save(self.folder / "photo.png")
            photo = self.folder / "photo.png"
        subprocess.run([self.program, "explain", MODELS / f"{model}.onnx", photo, *arguments, option,
                        self.folder / "picture.png"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return Image.open(self.folder / "picture.png").convert("RGB")


def row(*pictures):
    page = Image.new("RGB", (sum(p.width for p in pictures) + GAP * (len(pictures) - 1),
                             max(p.height for p in pictures)), "white")
    left = 0
    for picture in pictures:
        page.paste(picture, (left, 0))
        left += picture.width + GAP
    return page


def save(name, picture):
    picture.save(HERE / name, optimize=True, quality=88)


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        fovea = Program(program, folder)
        detector = ["--task", "yolox", "--preprocess", recipe(folder, "boxes", order="BGR", scale=1, mean=0, std=1,
                                                              geometry="letterbox")]
        save("task_boxes.jpg", fovea.picture("det_yolox_nano_op11", SCENES / "scene_2.png", *detector,
                                             "--target", "box:0", "--opacity", "value"))

        faces = ["--task", "ssd", "--preprocess", recipe(folder, "faces", order="RGB", scale=1, mean=127, std=128,
                                                         geometry="stretch"),
                 "--target", "boxes", "--opacity", "value"]
        save("task_objects.jpg", row(*(
            fovea.picture("det_ultraface_rfb320_ssd_op9", two_faces(), *faces, *more, option="--objects")
            for more in ((), ("--inside-boxes",)))))

        mean, std = [102.890434, 111.25247, 126.91212], [62.93292, 62.82138, 66.355705]
        segments = ["--task", "segmentation", "--opacity", "value", "--preprocess",
                    recipe(folder, "segments", order="BGR", scale=1, mean=mean, std=[255 * v for v in std],
                           geometry="stretch")]
        save("task_segments.jpg", row(*(
            fovea.picture("seg_sinet_portrait_op12", portrait(), *segments, "--target", target).resize((240, 240))
            for target in ("mask:1", "pixel:160,150@1", "pixel:108,150@1-pixel:90,150@1"))))

        (folder / "alphabet.txt").write_text("".join(f"{c}\n" for c in [*CHARACTERS, " ", " "]))
        reader = ["--task", recipe(folder, "reader", task="ctc", names_file="alphabet.txt", text={"blank": 0}),
                  "--preprocess", recipe(folder, "line", order="RGB", scale=1 / 255, mean=0.5, std=0.5,
                                         geometry="stretch", width=232, height=32), "--sheet-width", "820"]
        targets = [word for i in (0, 1, 2, 3, 4, 6, 7) for word in ("--target", f"char:{i}")]
        save("task_text.png", fovea.picture("ocr_ppocr_en_bilstm_ctc_op12", line(), *reader, *targets,
                                            option="--strip"))

        policy = ["--task", "policy", "--target", "action", "--method", "greydanus", "--opacity", "value",
                  "--preprocess", recipe(folder, "policy", scale=1 / 255, mean=0, std=1, geometry="stretch")]
        save("task_actions.png", row(*(fovea.picture("rl_a3c_breakout_gru_op14", game(ball), *policy).resize((240, 240), Image.Resampling.NEAREST)
                                       for ball in ((50, 50), (28, 62), (60, 66)))))

        # Note 51 is C5; the frame is that of 1 s.
        np.save(folder / "tones.npy", tones())
        pitch = recipe(folder, "pitch", task="audio", audio={"rate": 22050, "frequencies": "octaves", "lowest": 27.5,
                                                            "per_octave": 36, "bins": 264, "time_first": True})
        subprocess.run([fovea.program, "explain", MODELS / "audio_basic_pitch_op15.onnx", "--input", folder / "tones.npy",
                        "--task", pitch, "--target", "StatefulPartitionedCall:1[0,86,51]", "--layer", "Relu__38:0",
                        "--spectrogram", HERE / "task_sound.png", "--no-provenance"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1])
