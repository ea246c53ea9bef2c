"""What measuring the temperature every 10 steps costs: ResNet-18 on pictures of 32 px, batches of 256.

    temperature.py [batch [threads]]    256 and 1 by default

Against the same training step without a measurement, in turns; CPU seconds of the process, on a CUDA device seconds.
Needs no real data.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))

from filterscope.apt.actcoolr import ActCooLR
from filterscope.apt.monitor import TemperatureMonitor
from filterscope.apt.recording import Pass, Replay
from filterscope.temperature.networks import build

EVERY = 10
TURNS = 3
STEPS = 2000  # of a scheduler alone


def main() -> None:
    """Print ratios."""
    batch = int(sys.argv[1]) if len(sys.argv) > 1 else 256
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chance = torch.Generator().manual_seed(0)
    network = build("resnet18", 10, 3, 32, seed=0).to(device)
    pictures = torch.randn(batch, 3, 32, 32, generator=chance).to(device)
    classes = torch.randint(10, (batch,), generator=chance).to(device)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(network(pictures), classes).backward()
        optimiser.step()

    def measured(*inputs) -> None:
        with TemperatureMonitor(network) as monitor, monitor.step(*inputs):
            step()
        assert monitor.reading.mean > 0

    _seconds(step, device)  # warm up
    turns = [
        [_seconds(action, device) for action in (step, measured, lambda: measured(pictures))] for _ in range(TURNS)
    ]
    plain, caught, own = (statistics.median(each) for each in zip(*turns, strict=True))
    print(f"ResNet-18, batch {batch}, {device}, {threads} threads: one step {plain:.2f} s")
    for name, seconds in (("its own forward pass", caught), ("two more forward passes", own)):
        share = (seconds - plain) / (EVERY * plain)
        print(f"measured with {name}: {seconds / plain:.2f} x one step, {share:+.1%} where every {EVERY}th is")
    _memory(network, pictures)
    _schedule(network, plain, device)


def _memory(network: torch.nn.Module, pictures: torch.Tensor) -> None:
    record = Pass(("relu",), 1)
    Replay(network, (pictures,), {}, record).first()
    packed = sum(each.numel() for each in record.packed) / 2**20
    print(f"patterns of a batch: {packed:.1f} MiB; the activations that they tell of: {32 * packed:.0f} MiB")


def _schedule(network: torch.nn.Module, plain: float, device: torch.device) -> None:
    """Steps of scheduler and monitor that measure nothing."""

    def optimiser() -> torch.optim.Optimizer:
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)

    with TemperatureMonitor(network, every=2 * STEPS) as monitor:
        monitor.load_state_dict({"steps": 1, "every": 2 * STEPS})
        ours = ActCooLR(optimiser(), monitor, total_steps=STEPS, sigma=1.0, initial_temperature=3.0)
        theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser(), 0.1, total_steps=STEPS + 1)
        for schedule in (ours, theirs):
            schedule.optimizer.step()

        def monitored() -> None:
            for _ in range(STEPS):
                with monitor.step():
                    pass
                ours.step()

        def usual() -> None:
            for _ in range(STEPS):
                theirs.step()

        seconds, others = (_seconds(each, device) / STEPS for each in (monitored, usual))
    print(
        f"monitor and schedule, nothing measured: {1e6 * seconds:.0f} us, {seconds / plain:.0e} of a training step; "
        f"PyTorch's 1-cycle {1e6 * others:.0f} us"
    )


def _seconds(action, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
        start = time.perf_counter()
        action()
        torch.cuda.synchronize()
        return time.perf_counter() - start
    start = time.process_time()
    action()
    return time.process_time() - start


if __name__ == "__main__":
    main()
