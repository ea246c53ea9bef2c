"""The tests of this room compute with matrices so small that threads only wait for each other."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """One thread for torch, then as many as before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
