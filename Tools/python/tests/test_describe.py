"""Descriptions of models whose constructors run them: what a run leaves is described exactly, or named."""

import json
import unittest
import warnings

import ckpt

from .support import needs_torch, torch


@needs_torch
class ConstructorsThatRun(unittest.TestCase):
    def reasons(self, make):
        """The reasons of the tensors that a description does not give."""
        return {f"{module['path']}.{item['name']}": item["reason"]
                for module in json.loads(ckpt.describe(make))["modules"]
                for item in [*module.get("parameters", []), *module.get("buffers", [])]
                if "rule" in item and item["rule"] is None and not item["reason"].startswith("made in steps")}

    def assert_torchs(self, make):
        self.assertEqual(self.reasons(make), {})
        torch.manual_seed(9)
        expected = make().state_dict()
        for name, tensor in ckpt.init(make, 9, framework="torch").items():
            self.assertTrue(torch.equal(tensor, expected[name]), name)

    def net(self, norm, bias, value, **options):
        def make():
            net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, bias=bias), norm(4, **options), torch.nn.ReLU())
            size = net(torch.full((2, 3, 8, 8), value)).numel()
            return net.append(torch.nn.Flatten()).append(torch.nn.Linear(size, 2))
        return make

    def test_statistics_that_depend_on_a_draw_are_named(self):
        for norm, options in ((torch.nn.BatchNorm2d, {}), (torch.nn.InstanceNorm2d, {"track_running_stats": True})):
            for bias, value in ((True, 0.0), (False, 1.0)):
                make = self.net(norm, bias, value, **options)
                self.assertEqual(self.reasons(make), {"1.running_mean": "computed by convolution",
                                                      "1.running_var": "computed by convolution"})
                with self.assertRaisesRegex(ckpt.CheckpointError, "2 tensors have no known initial values"):
                    ckpt.init(make)

    def test_a_run_on_zeros_is_exact(self):
        self.assert_torchs(self.net(torch.nn.BatchNorm2d, False, 0.0))
        self.assert_torchs(lambda: self.net(torch.nn.BatchNorm2d, True, 1.0)().eval()[4])

    def test_draws_after_a_run_whose_values_decide_how_many_are_named(self):
        def make():
            net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.RReLU())
            net(torch.ones(2, 4))
            return net.append(torch.nn.Linear(4, 2))

        self.assertEqual(set(self.reasons(make)), {"2.weight", "2.bias"})
        self.assertIn("drawn after rrelu_with_noise", self.reasons(make)["2.weight"])

    def test_a_model_that_was_run_is_noted(self):
        net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            begun = ckpt.describe(net)
        net(torch.randn(8, 4))
        with self.assertWarnsRegex(UserWarning, "1.running_mean and 2 more buffers: changed by runs"):
            self.assertEqual(ckpt.describe(net), begun)

    def test_torchscript_is_refused(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scripted = torch.jit.script(torch.nn.Linear(2, 2))
        for net in (scripted, torch.nn.Sequential(scripted)):
            with self.assertRaisesRegex(ckpt.CheckpointError, "TorchScript, which cannot be described"):
                ckpt.describe(net)
