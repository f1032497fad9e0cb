"""The Grad-CAM function of Keras's guide (keras.io/examples/vision/grad_cam), as it stands there,
and the same work inside tf.function. Its map is left at the layer's grid, as the guide leaves it."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from catalogue import NETWORKS  # noqa: E402

TITLE = "Keras guide's function"
VERSION = f"{keras.__version__} (TensorFlow {tf.__version__})"


def layout(x):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def make_gradcam_heatmap(img_array, model, last_conv_layer_name, pred_index=None):
    # First, we create a model that maps the input image to the activations
    # of the last conv layer as well as the output predictions
    grad_model = keras.models.Model(
        model.inputs, [model.get_layer(last_conv_layer_name).output, model.output]
    )

    # Then, we compute the gradient of the top predicted class for our input image
    # with respect to the activations of the last conv layer
    with tf.GradientTape() as tape:
        last_conv_layer_output, preds = grad_model(img_array)
        if pred_index is None:
            pred_index = tf.argmax(preds[0])
        class_channel = preds[:, pred_index]

    # This is the gradient of the output neuron (top predicted or chosen)
    # with regard to the output feature map of the last conv layer
    grads = tape.gradient(class_channel, last_conv_layer_output)

    # This is a vector where each entry is the mean intensity of the gradient
    # over a specific feature map channel
    pooled_grads = tf.reduce_mean(grads, axis=(0, 1, 2))

    # We multiply each channel in the feature map array
    # by "how important this channel is" with regard to the top predicted class
    # then sum all the channels to obtain the heatmap class activation
    last_conv_layer_output = last_conv_layer_output[0]
    heatmap = last_conv_layer_output @ pooled_grads[..., tf.newaxis]
    heatmap = tf.squeeze(heatmap)

    # For visualization purpose, we will also normalize the heatmap between 0 & 1
    heatmap = tf.maximum(heatmap, 0) / tf.math.reduce_max(heatmap)
    return heatmap.numpy()


def compiled_heatmap(grad_model):
    """The same, the model with two outputs made once, the rest a graph of TensorFlow's."""

    @tf.function
    def heatmap(img_array):
        with tf.GradientTape() as tape:
            features, preds = grad_model(img_array)
            class_channel = tf.gather(preds, tf.argmax(preds[0]), axis=1)
        grads = tape.gradient(class_channel, features)
        weights = tf.reduce_mean(grads, axis=(0, 1, 2))
        cam = tf.squeeze(features[0] @ weights[..., tf.newaxis])
        return tf.maximum(cam, 0) / tf.math.reduce_max(cam)

    return heatmap


def create(job):
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(job.threads)
    model = keras.models.load_model(job.models / f"{job.network}.keras", compile=False)
    model.layers[-1].activation = None
    layer = NETWORKS[job.network].keras_layer
    compiled = compiled_heatmap(
        keras.models.Model(model.inputs, [model.get_layer(layer).output, model.output]))
    return {
        "eager": lambda x, best: make_gradcam_heatmap(x, model, layer),
        "tf.function": lambda x, best: compiled(tf.constant(x)).numpy(),
    }
