"""The networks that are compared: what torchvision, the files and keras.applications call each."""

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Network:
    name: str  # torchvision's, and the files'
    title: str
    module: str  # whose output is the feature map that feeds the head
    keras: Optional[str]  # the name in keras.applications
    keras_layer: Optional[str]  # the same feature map there


NETWORKS = {
    network.name: network
    for network in (
        Network("resnet50", "ResNet-50", "layer4", "ResNet50", "conv5_block3_out"),
        Network("vgg16", "VGG-16", "features.29", "VGG16", "block5_conv3"),
        Network("mobilenet_v2", "MobileNetV2", "features", "MobileNetV2", "out_relu"),
        Network("efficientnet_b0", "EfficientNet-B0", "features", "EfficientNetB0",
                "top_activation"),
        Network("densenet121", "DenseNet-121", "relu", "DenseNet121", "relu"),
        Network("squeezenet1_1", "SqueezeNet 1.1", "classifier.2", None, None),
    )
}
SIZE = 224
INPUTS = 16
