"""The temperature room: trainings by many schedules, watched, tuned alike and compared (ActCooLR, A to G).

Temperatures and schedules themselves lie in `filterscope.apt`.

| module | what it holds |
|---|---|
| `networks`, `residual` | the networks of ActCooLR, by name |
| `building` | those, or a network from a function of the user's |
| `material` | labelled samples as tensors, and the validation split |
| `training`, `state` | a training with its measurements, and what a checkpoint keeps of it |
| `tuning` | random search, the same number of trials for every schedule |
| `moments` | range analyses at several moments of a training |
| `duel` | errors with intervals, wins, losses, cost; published numbers beside ours |
| `courses`, `figures` | trainings beside each other, and how they are drawn |
"""
