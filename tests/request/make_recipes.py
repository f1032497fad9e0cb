#!/usr/bin/env python3
"""Writes recipes/: five photos, and what timm, transformers, torchvision and Keras make of them.

    pip install -r requirements-recipes.txt && python make_recipes.py

goldens.json has a row per recipe: how fovea is asked for it (a name, or the JSON of the package's own
file), the tensor's extents, and per photo some of its values, spread over it, and the sums of 24 parts.
"""
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import timm.data  # noqa: E402
import torchvision.models  # noqa: E402
import transformers  # noqa: E402
from PIL import Image  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent / "recipes"
EXTENTS = [(96, 71), (64, 64), (53, 120), (301, 40), (141, 170)]
SAMPLES, BLOCKS = 12, 24


def make_photo(index, width, height):
    """Coloured waves, an edge and a little noise."""
    rng = np.random.default_rng(index)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(3):
        wave = np.sin(x / (5 + 3 * c) + index) * np.cos(y / (7 - 2 * c) + c)
        planes.append(128 + 90 * wave + (60 if c == index % 3 else -40) * (x + 2 * y > width))
    pixels = np.stack(planes, -1) + rng.integers(-3, 4, (height, width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8) // 4 * 4)


def timm_rows():
    usual = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    half = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    for name, cfg in {
        "centre, bicubic": dict(usual, input_size=[3, 224, 224], interpolation="bicubic", crop_pct=0.95),
        "centre, bilinear": dict(usual, input_size=[3, 224, 224], interpolation="bilinear", crop_pct=0.875,
                                 crop_mode="center", test_input_size=[3, 288, 288], test_crop_pct=1.0),
        "centre, Lanczos": dict(half, input_size=[3, 160, 160], interpolation="lanczos", crop_pct=0.9),
        "centre, no square": dict(half, input_size=[3, 128, 192], interpolation="bicubic", crop_pct=0.9),
        "squash": dict(half, input_size=[3, 176, 176], interpolation="bicubic", crop_pct=1.0, crop_mode="squash"),
        "squash and crop": dict(usual, input_size=[3, 96, 128], interpolation="bicubic", crop_pct=0.9,
                                crop_mode="squash"),
        "border": dict(usual, input_size=[3, 160, 160], interpolation="bicubic", crop_pct=0.9,
                       crop_mode="border"),
        "what is left out": dict(input_size=[3, 64, 64]),
    }.items():
        config = timm.data.resolve_data_config(pretrained_cfg=cfg)
        transform = timm.data.create_transform(**config)
        file = {"architecture": "resnet18", "num_classes": 1000, "pretrained_cfg": cfg}
        yield f"timm: {name}", json.dumps(file), lambda photo, t=transform: t(photo).numpy()


def transformers_rows():
    rgb = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    half = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    square = {"size": {"height": 224, "width": 224}}
    for kind, fields in (
        ("ViTImageProcessor", dict(half, **square, resample=2)),
        ("ViTImageProcessorPil", dict(half, **square, resample=3, do_convert_rgb=None)),
        ("BeitImageProcessor", dict(half, **square, resample=2, do_center_crop=False)),
        ("DeiTImageProcessor", dict(rgb, size={"height": 256, "width": 256}, resample=3, do_center_crop=True,
                                    crop_size={"height": 224, "width": 224})),
        ("DeiTImageProcessorPil", dict(rgb, size={"height": 75, "width": 90}, resample=1, do_center_crop=True,
                                       crop_size={"height": 64, "width": 64})),
        ("ConvNextImageProcessor", dict(rgb, size={"shortest_edge": 224}, crop_pct=0.875, resample=3)),
        ("ConvNextImageProcessor", dict(rgb, size={"shortest_edge": 384}, crop_pct=0.875, resample=3)),
        ("LevitImageProcessor", dict(rgb, size={"shortest_edge": 224}, resample=3, do_center_crop=True,
                                     crop_size={"height": 224, "width": 224})),
        ("EfficientNetImageProcessor", dict(image_mean=rgb["image_mean"], image_std=[0.478, 0.473, 0.474], **square,
                                            resample=0, include_top=True, rescale_offset=False,
                                            do_center_crop=False, crop_size={"height": 289, "width": 289})),
        ("EfficientNetImageProcessor", dict(half, **square, resample=3, include_top=False, rescale_offset=True)),
        ("MobileViTImageProcessor", dict(size={"shortest_edge": 288}, resample=2, do_center_crop=True,
                                         crop_size={"height": 256, "width": 256}, do_flip_channel_order=True)),
        ("PoolFormerImageProcessor", dict(rgb, size={"shortest_edge": 224}, crop_pct=0.95, resample=3,
                                          do_center_crop=True, crop_size={"height": 224, "width": 224})),
        ("PvtImageProcessor", dict(rgb, **square, resample=3)),
        ("CLIPImageProcessor", dict(rgb, size={"shortest_edge": 225}, resample=3, do_center_crop=True,
                                    do_convert_rgb=True, crop_size={"height": 224, "width": 224})),
        ("BitImageProcessor", dict(half, size={"shortest_edge": 149}, resample=2, do_center_crop=True,
                                   crop_size={"height": 160, "width": 128})),
        ("MobileNetV2ImageProcessor", dict(half, size={"shortest_edge": 256}, resample=2, do_center_crop=True,
                                           crop_size={"height": 224, "width": 224}, do_rescale=True,
                                           rescale_factor=0.00392156862745098)),
        ("SiglipImageProcessor", dict(half, **square, resample=1)),
        ("ViTImageProcessor", dict(half, **square, resample=2, do_rescale=False)),
        ("ViTImageProcessor", dict(**square, resample=2, do_normalize=False)),
    ):
        processor = getattr(transformers, kind)(**fields)
        file = json.dumps(dict(fields, image_processor_type=kind, do_resize=True))

        def make(photo, p=processor):
            return np.asarray(p(photo, return_tensors="np")["pixel_values"][0])

        yield f"transformers: {kind} {fields.get('size')}", file, make


def torchvision_rows():
    for name in ("AlexNet_Weights.IMAGENET1K_V1", "ResNet50_Weights.IMAGENET1K_V2", "EfficientNet_B0_Weights.DEFAULT",
                 "EfficientNet_V2_L_Weights.IMAGENET1K_V1", "Inception_V3_Weights.IMAGENET1K_V1",
                 "ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1", "Swin_T_Weights.DEFAULT",
                 "VGG16_Weights.IMAGENET1K_FEATURES"):
        model, weights = name.split(".")
        transform = getattr(getattr(torchvision.models, model), weights).transforms()
        yield f"torchvision: {name}", f"torchvision:{name}", lambda photo, t=transform: t(photo).numpy()


def keras_rows():
    for mode in ("tf", "torch", "caffe"):
        for filter in ("nearest", "bilinear", "lanczos"):
            def make(photo, mode=mode, filter=filter):
                file = FOLDER / f"photo{photo.info['index']}.png"
                image = keras.utils.load_img(file, target_size=(160, 192), interpolation=filter)
                pixels = keras.utils.img_to_array(image)
                out = keras.applications.imagenet_utils.preprocess_input(
                    pixels, data_format="channels_last", mode=mode)
                return np.moveaxis(np.asarray(out), -1, 0)

            name = f"keras:{mode}" + ("" if filter == "nearest" else f":{filter}")
            yield f"keras: {mode}, {filter}", name, make


def main():
    FOLDER.mkdir(exist_ok=True)
    photos = []
    for i, (width, height) in enumerate(EXTENTS):
        make_photo(i, width, height).save(FOLDER / f"photo{i}.png", optimize=True)
        photo = Image.open(FOLDER / f"photo{i}.png")
        photo.load()
        photo.info["index"] = i
        photos.append(photo)
    rows = []
    for make_rows in (timm_rows, transformers_rows, torchvision_rows, keras_rows):
        for name, asked, make in make_rows():
            row = {"name": name, "recipe": asked, "photos": []}
            for photo in photos:
                tensor = np.ascontiguousarray(make(photo), np.float32)
                row["shape"] = list(tensor.shape)
                flat = tensor.reshape(-1)
                at = [(2 * k + 1) * flat.size // (2 * SAMPLES) + k * 7 for k in range(SAMPLES)]
                values = [float(f"{flat[i % flat.size]:.8g}") for i in at]
                parts = np.split(flat.astype(np.float64), [flat.size * k // BLOCKS for k in range(1, BLOCKS)])
                row["photos"].append({"values": values, "sums": [round(float(p.sum()), 5) for p in parts]})
            rows.append(row)
    (FOLDER / "goldens.json").write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    print(len(rows), "rows")


if __name__ == "__main__":
    main()
