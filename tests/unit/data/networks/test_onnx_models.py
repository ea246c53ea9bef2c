"""ONNX files: what is rebuilt puts out what the ONNX runtime puts out; what cannot be is refused by its name."""

import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from filterscope.commands.layers import layers
from filterscope.data.networks import building
from filterscope.data.networks.layers import Reader, survey
from filterscope.data.networks.settings import NetworkError, NetworkSettings, input_of
from filterscope.data.networks.weights import write_weights

SIDE = 24
INPUT = {"resize": SIDE, "crop": SIDE, "mean": [0.5] * 3, "std": [0.5] * 3}


class Residual(nn.Module):
    """A batch norm that is folded into its convolution and one that cannot be, weights that two layers share."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)
        self.second, self.pool = nn.Conv2d(6, 6, 3, padding=1), nn.MaxPool2d(2)
        self.after, self.head = nn.BatchNorm2d(12), nn.Linear(12, 5)

    def forward(self, images):
        maps = torch.relu(self.norm(self.first(images)))
        maps = torch.relu(self.second(maps) + maps)
        maps = self.pool(torch.cat([maps, self.second(maps)], 1))
        return self.head(torch.relu(self.after(maps)).mean((2, 3)))


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = Residual().eval()
        network.norm.running_mean.normal_()
        for each in (network.after.weight, network.after.bias, network.after.running_mean, network.after.running_var):
            each.data.uniform_(0.5, 2)
        return network


@pytest.fixture
def exported(network, tmp_path):
    """The network as a file of torch's older or newer exporter."""

    def exported(newer=False, pictures=None, name="network.onnx"):
        path = tmp_path / name
        images = torch.zeros(pictures or 2, 3, SIDE, SIDE)
        if newer:
            axes = {} if pictures else {"dynamic_shapes": ({0: torch.export.Dim("pictures")},)}
            torch.onnx.export(network, images, path, dynamo=True, external_data=False, verbose=False, **axes)
        else:
            axes = {} if pictures else {"input_names": ["images"], "dynamic_axes": {"images": {0: "pictures"}}}
            torch.onnx.export(network, images, path, dynamo=False, **axes)
        return path

    return exported


def settings(path, **others):
    return NetworkSettings.from_mapping({"source": "onnx", "file": str(path), "input": INPUT, **others})


def noise(count=3):
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(4))


def runtime(path, images, output=None):
    """What the ONNX runtime puts out, also inside the network."""
    model = onnx.load(path)
    if output is not None:
        del model.graph.output[:]
        model.graph.output.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: images.numpy()})[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
class TestExported:
    @pytest.mark.parametrize("newer", [False, True])
    def test_every_layer_is_what_the_onnx_runtime_puts_out(self, exported, network, newer):
        path = exported(newer)
        rebuilt = building.build(settings(path))
        torch.testing.assert_close(rebuilt(noise()), runtime(path, noise()), rtol=1e-4, atol=1e-5)
        read = [each for each in survey(rebuilt, SIDE).layers if each.height > 1]
        assert {"Conv", "Relu", "Add"} <= {each.layer.partition("_")[0] for each in read}
        for each in read:
            with Reader(rebuilt, each.layer, input_size=SIDE) as reader:
                expected = runtime(path, noise(), each.layer.partition("_")[2])
                torch.testing.assert_close(reader(noise()), expected, rtol=1e-4, atol=1e-5)

    def test_weights_are_kept_as_those_of_other_networks_and_fit_again(self, exported, tmp_path):
        network = building.prepare(settings(exported()), seed=0)
        write_weights(network, tmp_path / "weights.pt")
        again = building.load(settings(exported()), tmp_path / "weights.pt")
        assert torch.equal(network(noise()), again(noise()))

    def test_the_random_network_has_nothing_learnt_left_and_is_seeded(self, exported):
        own = building.build(settings(exported()))
        null, same, other = (building.initialise(settings(exported()), seed) for seed in (1, 1, 2))
        assert torch.equal(null(noise()), same(noise()))
        assert not torch.equal(null(noise()), other(noise()))
        learnt = [name for name, each in own.named_parameters() if each.numel() > 1]
        assert learnt
        for name in learnt:
            one, two = own.get_parameter(name), null.get_parameter(name)
            assert torch.equal(one.flatten().sort().values, two.flatten().sort().values)
            assert not torch.equal(one, two)

    def test_a_file_for_a_fixed_number_of_pictures_is_read_where_that_does_no_harm(self, exported):
        path = exported(pictures=1)
        single = torch.cat([runtime(path, each[None]) for each in noise()])
        torch.testing.assert_close(building.build(settings(path))(noise()), single, rtol=1e-4, atol=1e-5)

    def test_the_size_of_pictures_comes_from_the_file(self, exported):
        found = input_of({"source": "onnx", "file": str(exported()), "input": {}})
        assert (found.crop, found.resize, found.mean) == (SIDE, 27, (0.485, 0.456, 0.406))

    def test_the_command_lists_its_layers(self, exported):
        table, said = layers(str(exported()), None, "last")
        assert "Relu_" in table
        assert f"cropped to {SIDE}" in said


def model(nodes, shape=("pictures", 3, SIDE, SIDE), weights=(), domains=(), axes=4):
    graph = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [None] * axes)],
        [numpy_helper.from_array(array, name) for name, array in weights],
    )
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(each, 1) for each in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def written(made, tmp_path):
    onnx.save(made, tmp_path / "own.onnx")
    return tmp_path / "own.onnx"


KERNEL = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)


def test_operators_that_cannot_be_rebuilt_are_named_all_together(tmp_path):
    nodes = [
        helper.make_node("QuickGelu", ["images"], ["a"], domain="com.microsoft"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxRoiPoolOfOurs", ["b"], ["out"], domain="our.own"),
    ]
    path = written(model(nodes, domains=("com.microsoft", "our.own")), tmp_path)
    with pytest.raises(NetworkError, match=r"does not rebuild: com\.microsoft\.QuickGelu, our\.own\.MaxRoiPoolOfOurs"):
        building.build(settings(path))


def test_an_operator_that_the_converter_would_guess_is_refused(tmp_path, monkeypatch):
    """It takes torch's function of the same name, without the operator's attributes, and only warns."""
    from onnx2pytorch.convert import operations

    def guessing(graph, *_, **__):
        import warnings

        if graph.node[0].op_type == "Relu":
            warnings.warn("No explicit conversion for op_type=Relu, guessing torch.relu.", RuntimeWarning, stacklevel=2)
        return []

    monkeypatch.setattr(operations, "convert_operations", guessing)
    path = written(model([helper.make_node("Relu", ["images"], ["out"])]), tmp_path)
    with pytest.raises(NetworkError, match="operators that onnx2pytorch does not rebuild: Relu"):
        building.build(settings(path))


def test_a_network_that_is_rebuilt_otherwise_is_refused(tmp_path, monkeypatch):
    import onnx2pytorch

    class Other(onnx2pytorch.ConvertModel):
        def forward(self, *images):
            return super().forward(*images) * 1.01

    monkeypatch.setattr(onnx2pytorch, "ConvertModel", Other)
    nodes = [helper.make_node("Conv", ["images", "kernel"], ["out"], kernel_shape=[3, 3])]
    path = written(model(nodes, weights=[("kernel", KERNEL)]), tmp_path)
    with pytest.raises(NetworkError, match=r"output out of the rebuilt network is up to .* it is not the same network"):
        building.build(settings(path))


def test_a_file_that_mixes_its_pictures_is_refused(tmp_path):
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["maps"], kernel_shape=[3, 3]),
        helper.make_node("Reshape", ["maps", "shape"], ["out"]),
    ]
    weights = [("kernel", KERNEL), ("shape", np.array([1, -1]))]
    path = written(model(nodes, shape=(1, 3, SIDE, SIDE), weights=weights, axes=2), tmp_path)
    with pytest.raises(NetworkError, match=r"of 2 pictures, output out is .* export it with a dynamic first axis"):
        building.build(settings(path))


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (("n", SIDE, SIDE, 3), "its channels come last; export it with channels first"),
        (("n", 5, SIDE, SIDE), r"takes images \[None, 5, 24, 24\]; should be \[pictures, 3, height, width\]"),
        (("n", 3), r"takes images \[None, 3\]; should be one input"),
    ],
)
def test_other_inputs_are_refused(tmp_path, shape, said):
    path = written(model([helper.make_node("Relu", ["images"], ["out"])], shape=shape, axes=len(shape)), tmp_path)
    with pytest.raises(NetworkError, match=said):
        building.build(settings(path))


def test_files_that_are_no_networks(tmp_path):
    (tmp_path / "cut.onnx").write_bytes(model([helper.make_node("Relu", ["images"], ["out"])]).SerializeToString()[:40])
    (tmp_path / "text.onnx").write_text("<html>")
    for name in ("cut.onnx", "text.onnx"):
        with pytest.raises(NetworkError, match=f"{name}: no ONNX network, cut off or damaged"):
            building.build(settings(tmp_path / name))
    with pytest.raises(NetworkError, match=r"absent\.onnx: there is no such ONNX file"):
        building.build(settings(tmp_path / "absent.onnx"))


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx2pytorch", None)
    with pytest.raises(NetworkError, match=r"source onnx needs the extra filterscope\[onnx\]: pip install"):
        building.build(settings(tmp_path / "any.onnx"))
