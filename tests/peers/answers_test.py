"""captum's LayerGradCam on the question answerer beside the checkout, its layers written out in PyTorch."""

import numpy as np
import support
import torch
from torch.nn import functional

MODEL = support.SHARED / "models" / "vqa_easy_nhwc_op13.onnx"
EXAMPLES = ["color", "shape"]
# Captum's module, the file's value.
LAYERS = {"conv1": "conv2d_1", "conv2": "conv2d_2", "conv3": "conv2d_3", "pool": "max_pooling2d_3"}


class Answerer(torch.nn.Module):
    """Keras' easy-VQA: three convolutions, the question's two layers, their product, the answers' two."""

    def __init__(self, weights):
        super().__init__()
        for i, channels in enumerate([(3, 8), (8, 16), (16, 32)], 1):
            conv = torch.nn.Conv2d(*channels, 3, padding=1)
            conv.weight.data, conv.bias.data = weights[f"conv2d_{i}_W"], weights[f"conv2d_{i}_b"]
            setattr(self, f"conv{i}", conv)
        for i in range(1, 7):
            of = weights[f"dense_{i}_W"]
            dense = torch.nn.Linear(*of.shape)
            dense.weight.data, dense.bias.data = of.T.contiguous(), weights[f"dense_{i}_b"]
            setattr(self, f"dense{i}", dense)
        self.pool = torch.nn.MaxPool2d(2)

    def forward(self, image, question):
        x = functional.max_pool2d(self.conv1(image.permute(0, 3, 1, 2)), 2)
        x = functional.max_pool2d(self.conv2(x), 2)
        x = torch.tanh(self.dense1(self.pool(self.conv3(x)).permute(0, 2, 3, 1).flatten(1)))
        q = torch.tanh(self.dense2(question))
        q = torch.tanh(self.dense4(torch.tanh(self.dense3(q))))
        return self.dense6(torch.tanh(self.dense5(x * q)))


@support.unittest.skipUnless(MODEL.exists(), f"no {MODEL}")
class Answers(support.Compared):
    def setUp(self):
        super().setUp()
        import onnx
        weights = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()).double()
                   for tensor in onnx.load(MODEL).graph.initializer}
        self.network = Answerer(weights).double().eval()

    def test_layer_grad_cam(self):
        from captum.attr import LayerGradCam
        for example in EXAMPLES:
            arrays = np.load(support.SHARED / "examples" / f"vqa_easy_nhwc_op13__{example}.npz")
            inputs = {name: arrays[f"in/{name}"] for name in ("image", "question")}
            tensors = tuple(torch.from_numpy(inputs[name]).double() for name in inputs)
            logits = self.network(*tensors)
            np.testing.assert_allclose(torch.softmax(logits, 1).detach().numpy(), arrays["out/answer"], atol=1e-5)
            ranked = [int(i) for i in logits[0].argsort(descending=True)]
            for layer, value in LAYERS.items():
                # The answer, the next best and the worst: any of the vocabulary may be asked for.
                for answer in (ranked[0], ranked[1], ranked[-1]):
                    of = LayerGradCam(self.network, getattr(self.network, layer))
                    wanted = of.attribute(tensors[0], target=answer, additional_forward_args=tensors[1])
                    got, map_ = self.explained(MODEL, inputs, "--task", "answer", "--target", f"answer:{answer}",
                                               "--layer", value, "--method", "gradcam")
                    self.assertAlmostEqual(got, logits[0, answer].item(), delta=1e-4)
                    self.check(f"easy-VQA, {example}, answer {answer} at {value}", map_,
                               wanted[0, 0].detach().numpy())
