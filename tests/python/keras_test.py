#!/usr/bin/env python3
"""The map of Keras' tutorial of Grad-CAM, and TensorFlow with its own protobuf in the same process.
Development only: Keras, TensorFlow and tf2onnx come from PyPI.

Tried with keras 3.15, tensorflow-cpu 2.21, tf2onnx 1.17.
"""

import os
import sys
import tempfile
import unittest

import support

import numpy as np


def make_gradcam_heatmap(img_array, model, last_conv_layer_name, pred_index):
    """As https://keras.io/examples/vision/grad_cam/ has it."""
    import keras
    import tensorflow as tf
    grad_model = keras.models.Model(
        model.inputs, [model.get_layer(last_conv_layer_name).output, model.outputs[0]])
    with tf.GradientTape() as tape:
        last_conv_layer_output, preds = grad_model(img_array)
        class_channel = preds[:, pred_index]
    grads = tape.gradient(class_channel, last_conv_layer_output)
    pooled_grads = tf.reduce_mean(grads, axis=(0, 1, 2))
    heatmap = last_conv_layer_output[0] @ pooled_grads[..., tf.newaxis]
    heatmap = tf.squeeze(heatmap)
    return (tf.maximum(heatmap, 0) / tf.math.reduce_max(heatmap)).numpy()


class Tutorial(unittest.TestCase):
    def test_the_same_map(self):
        import keras

        import fovea
        keras.utils.set_random_seed(3)
        layers = keras.layers
        network = keras.Sequential([
            keras.Input((32, 32, 3)), layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="last"),
            layers.GlobalAveragePooling2D(), layers.Dense(5)])
        x = np.random.default_rng(0).standard_normal((1, 32, 32, 3)).astype(np.float32)
        network.predict(x, verbose=0)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "keras.onnx")
            network.export(file, format="onnx", verbose=False)
            model = fovea.Model(file)
            explainer = fovea.Explainer(model, input_shapes={model.inputs[0].name: x.shape},
                                        threads=1, tuning="off")
            with explainer.forward(x) as run:
                for target in range(5):
                    theirs = make_gradcam_heatmap(x, network, "last", target)
                    ours = run.explain(target=target).feature_map
                    self.assertGreater(theirs.max(), 0)
                    np.testing.assert_allclose(ours / ours.max(), theirs, atol=1e-5)


if __name__ == "__main__":
    try:
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error} (PyPI's keras, tensorflow and tf2onnx, development only)")
        sys.exit(support.SKIPPED)
    support.main()
