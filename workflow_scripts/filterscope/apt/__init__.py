"""Activation pattern temperature (APT; ActCooLR, F and H), measured, and used to steer learning rates.

The temperature of a layer tells how many of its activation patterns one step of an optimiser changes: -log2 of the
share that stays the same, so 0 bits where nothing changes, 1 where half of the patterns do. Everything here works on
any PyTorch network and outside of the workflow; the rooms that train networks use it too:

    from filterscope.apt.learning_rates import learning_rate_range
    from filterscope.apt.monitor import TemperatureMonitor
    from filterscope.apt.actcoolr import ActCooLR

    loss = torch.nn.functional.cross_entropy
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    fit = learning_rate_range(network, loss, *next(iter(batches)), optimiser).fit
    with TemperatureMonitor(network, every=10) as monitor:
        schedule = ActCooLR(
            optimiser, monitor, total_steps=epochs * len(batches), sigma=fit.sigma, initial_temperature=3.03
        )
        for _ in range(epochs):
            for pictures, classes in batches:
                with monitor.step():
                    optimiser.zero_grad()
                    value = loss(network(pictures), classes)
                    value.backward()
                    optimiser.step()
                schedule.step(loss=value)
    monitor.table()  # temperature of every activation over the training

Deep networks without shortcuts change nearly every pattern at the lowest learning rate of ActCooLR's table 1 when they
start: `learning_rate_range(..., widen=True)` goes on below it. Networks whose classifier starts at zero (Fixup) change
none in their first step: train a few steps before the analysis.

| module | what it holds |
|---|---|
| `patterns` | patterns as packed bits, how many are unchanged, temperatures |
| `rectifiers` | the activation functions that can be measured, and their thresholds |
| `recording` | the hooks: one forward pass noted, and repeated after a step |
| `streams`, `writes` | random numbers that a second pass draws again; whether a step has happened at all |
| `readings` | what a measurement gives |
| `monitor` | `TemperatureMonitor`, for any training loop |
| `model` | temperature and learning rate: link, log-normal model, its fit, target curve |
| `learning_rates` | `learning_rate_range`, the analysis of one step at many learning rates |
| `optimisers` | parameter groups, and trial steps that are taken back |
| `actcoolr` | `ActCooLR` and `DynamicActCooLR` |
| `guard` | what holds their learning rate back where a network dies or diverges |
| `scheduling` | schedules by name: PyTorch's, Schedule-Free and those of `actcoolr` |
| `steering`, `batch_norm` | a training that follows a schedule by name, and the statistics it must renew |
"""
