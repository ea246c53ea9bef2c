"""The graph of a network by watching one forward pass, where torch.fx cannot read it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode, resolve_name

from filterscope.diagnosis.capacity.graph_nodes import CONCATENATIONS, Recorder, is_layer, shape_of, tensors


def watched(network: nn.Module, sample: Tensor) -> Recorder:
    """Run the network, in eval mode, on one sample [1, ...] and note down every layer and function on its way.

    Control flow goes the way that it goes for this sample.
    """
    recorder = Recorder()
    watch = _Watch(recorder, network)
    recorder.made_by[watch.key(sample)] = -1
    with watch.hooked(), watch:
        output = network(sample)
    recorder.ends_with([watch.key(each) for each in tensors(output)])
    return recorder


class _Watch(TorchFunctionMode):
    """Hands every call of a layer, and every function of torch outside layers, to the recorder."""

    def __init__(self, recorder: Recorder, network: nn.Module):
        super().__init__()
        self.recorder = recorder
        self.names = {module: name for name, module in network.named_modules()}
        self.inside = 0  # layers that are being called
        self.kept: dict[int, Tensor] = {}  # so that no other tensor takes the identity of one that is gone
        self.calls = 0

    def key(self, tensor: Tensor) -> int:
        self.kept[id(tensor)] = tensor
        return id(tensor)

    @contextlib.contextmanager
    def hooked(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for module in self.names:
                if is_layer(module):
                    stack.callback(module.register_forward_pre_hook(self._enter).remove)
                    stack.callback(module.register_forward_hook(self._leave, with_kwargs=True).remove)
            yield

    def _enter(self, module, _) -> None:
        self.inside += 1

    def _leave(self, module, given, named, output) -> None:
        self.inside -= 1
        if not self.inside:
            own = list(module.parameters())
            more = {"batch_norm": isinstance(module, _BatchNorm)}
            self._record(self.names[module], type(module).__name__, (given, named), own, output, **more)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        output = function(*args, **(kwargs or {}))
        if not self.inside and any(True for _ in tensors(output)):
            kind = (resolve_name(function) or getattr(function, "__name__", "function")).split(".")[-1]
            self.calls += 1
            own = [each for each in tensors((args, kwargs)) if isinstance(each, nn.Parameter)]
            more = {"concatenates": kind in CONCATENATIONS}
            self._record(f"{kind}_{self.calls}", kind, (args, kwargs), own, output, **more)
        return output

    def _record(self, name, kind, given, own, output, **more) -> None:
        inputs = [self.key(each) for each in tensors(given)]
        outputs = [self.key(each) for each in tensors(output)]
        if not outputs:
            return
        before = len(self.recorder.nodes)
        self.recorder.add(outputs[0], name, kind, inputs, own, shape_of(output), **more)
        for other in outputs[1:]:  # of several outputs all come from the one node
            if len(self.recorder.nodes) > before:
                self.recorder.made_by[other] = self.recorder.made_by[outputs[0]]
