"""Redirected ReLUs help silent pictures and change nothing for others."""

import torch
from torch.nn import functional

from filterscope.pictures.recipes.redirection import Redirecting


def gradient(start, redirected):
    leaf = start.clone().requires_grad_(True)
    if redirected:
        with Redirecting():
            out = functional.relu(leaf)
    else:
        out = functional.relu(leaf)
    (found,) = torch.autograd.grad((out * torch.tensor([2.0, -1.0, 1.0])).sum(), leaf)
    return out, found


def test_only_what_would_pass_nothing_is_redirected():
    start = torch.tensor([[1.0, -1, -1], [-1, -1, -1]])
    (plain, without), (same, found) = gradient(start, False), gradient(start, True)
    assert torch.equal(plain, same)
    assert without.tolist() == [[2, 0, 0], [0, 0, 0]]
    assert found.tolist() == [[2, 0, 0], [2, 0, 1]]  # what would lower the objective stays out


def test_upper_ends_are_kept():
    with Redirecting():
        assert functional.relu6(torch.tensor([[-1.0, 3, 9]])).tolist() == [[0, 3, 6]]
        assert torch.nn.ReLU6()(torch.tensor([[-1.0, 3, 9]])).tolist() == [[0, 3, 6]]
        assert functional.hardtanh(torch.tensor([[-3.0, 0.5]])).tolist() == [[-1, 0.5]]  # no ReLU
        assert torch.nn.ReLU(inplace=True)(torch.tensor([[-1.0, 3]])).tolist() == [[0, 3]]
    assert functional.relu6(torch.tensor([[9.0]])).item() == 6
