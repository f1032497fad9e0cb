"""The grad-cam package in a loop over photos, as its README uses it: decoded and prepared by Pillow and torchvision, the
map of the best class over the network's view of the photo, written as a picture. Tells photos a second, and milliseconds of the
processor for each.

usage: folder_gradcam.py NETWORK MODELS THREADS FOLDER PHOTO...
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import torch_networks  # first: it makes torchvision importable, which the package imports
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from torchvision import transforms


def main(network, models, threads, folder, *photos):
    torch.set_num_threads(int(threads))
    net, layer = torch_networks.load(network, Path(models))
    view = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    with GradCAM(model=net, target_layers=[layer]) as cam:

        def explain(photo):
            seen = view(Image.open(photo).convert("RGB"))
            (grayscale,) = cam(input_tensor=tensor(seen)[None], targets=None)
            picture = show_cam_on_image(np.asarray(seen, np.float32) / 255, grayscale, use_rgb=True)
            Image.fromarray(picture).save(Path(folder) / f"{Path(photo).name}.png")

        explain(photos[0])
        start, cpu = time.monotonic(), time.process_time()
        for photo in photos:
            explain(photo)
        seconds, cpu = time.monotonic() - start, time.process_time() - cpu
    print(len(photos) / seconds, 1000 * cpu / len(photos))


main(*sys.argv[1:])
