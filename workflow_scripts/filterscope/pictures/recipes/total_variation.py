"""Total variation denoising by split Bregman, many pictures at once, on any device (Getreuer, 2012).

The same iteration as scikit-image's `denoise_tv_bregman` (isotropic). That one goes through the pixels in order
and uses each new value at once (Gauss-Seidel), which looks sequential but is not: derivatives, and with them the
auxiliary fields d and b, depend on the last sweep's picture only, so the sweep itself is a linear recursion

    u[r, c] = 2/9 (u[r-1, c] + u[r, c-1]) + f[r, c]

with the same coefficient for every weight. Begun at the last sweep's picture, a few parallel passes solve it: the
error shrinks by more than 4/9 with each.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

LARGEST_PART = 5  # pictures that a thread denoises together: more per call, so that threads wait less for each other
COEFFICIENT = 2 / 9  # lambda / (weight + 4 lambda), where lambda = 2 weight


def denoise(
    pictures: Tensor, weights: Tensor | float, iterations: int = 100, tolerance: float = 1e-3, passes: int = 6
) -> Tensor:
    """Denoise pictures; a smaller weight smooths more.

    pictures: float [B, C, H, W], H and W at least 2. weights: one each [B], or one for all. tolerance: root mean
    square change of a channel in one sweep below which it is done, in the pictures' own units. passes: parallel
    passes per sweep; with 6 the result is scikit-image's (with `channel_axis`) within 1e-3 of the pixel range,
    whatever the range; 2 do for pixels in 0-255. Each picture's result depends on nothing but itself. As there,
    a channel's field b begins with the result of the channel before.

    Returns a new tensor of the same shape. Raises ValueError for other shapes, weights that are not positive
    and values that are not finite.
    """
    weights = _checked(pictures, weights, passes)
    out = torch.empty_like(pictures, memory_format=torch.contiguous_format)

    def work(part: slice) -> None:
        with torch.no_grad():
            _denoise_part(pictures[part], weights[part], out[part], iterations, tolerance, passes)

    if pictures.device.type != "cpu":
        work(slice(None))
        return out
    # Few pictures at a time stay in a core's cache; the pictures are shared out among the threads.
    threads = torch.get_num_threads()
    together = 1 if threads == 1 else min(LARGEST_PART, -(-len(pictures) // threads))
    parts = [slice(first, first + together) for first in range(0, len(pictures), together)]
    if threads == 1 or len(parts) == 1:
        for part in parts:
            work(part)
        return out
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            list(pool.map(work, parts))
    finally:
        torch.set_num_threads(threads)
    return out


def _checked(pictures: Tensor, weights: Tensor | float, passes: int) -> Tensor:
    if pictures.ndim != 4 or min(pictures.shape[2:]) < 2 or not pictures.is_floating_point():
        found = f"{pictures.dtype} {list(pictures.shape)}"
        raise ValueError(f"pictures are {found}, should be floating [B, C, H, W] with H and W at least 2")
    weights = torch.as_tensor(weights, dtype=pictures.dtype, device=pictures.device)
    if weights.ndim > 1 or (weights.ndim and len(weights) != len(pictures)):
        raise ValueError(f"weights are {list(weights.shape)}, should be one number or one for each picture")
    weights = weights.expand(len(pictures))
    if not bool((torch.isfinite(weights) & (weights > 0)).all()):
        raise ValueError(f"weights are {weights.tolist()}, should be positive")
    if passes < 1:
        raise ValueError(f"passes is {passes}, should be at least 1")
    if not bool(torch.isfinite(pictures).all()):
        raise ValueError("pictures hold NaN or infinite values")
    return weights


def _denoise_part(
    pictures: Tensor, weights: Tensor, out: Tensor, iterations: int, tolerance: float, passes: int
) -> None:
    """Channels one after the other: the field b of each begins with what the one before became."""
    count, channels, height, width = pictures.shape
    # In units of 1 / lambda the weight drops out of the iteration.
    scale = (2 * weights).view(-1, 1, 1)
    limit = (2 * weights) * (tolerance * (height * width) ** 0.5)
    fields = _Fields(pictures.new_empty(count, height, width))
    for channel in range(channels):
        fields.begin(pictures[:, channel] * scale)
        fields.solve(limit, iterations, passes)
        torch.div(fields.result, scale, out=out[:, channel])


def _patience(device: torch.device) -> int:
    """After how many sweeps it is asked whether all planes are done: on a GPU to ask is to wait."""
    return 1 if device.type == "cpu" else 10


class _Picture:
    """A stack of planes u with a border on all sides, and views of it: making one costs as much as an addition."""

    def __init__(self, like: Tensor):
        count, height, width = like.shape
        self.whole = like.new_zeros(count, height + 2, width + 2)
        self.here, self.right, self.below = self.whole[:, 1:-1, 1:-1], self.whole[:, 1:-1, 2:], self.whole[:, 2:, 1:-1]
        self.left, self.above = self.whole[:, 1:-1, :-2], self.whole[:, :-2, 1:-1]

    def fill(self, planes: Tensor) -> None:
        """Planes [n, H, W]; the border mirrors at the top and left and repeats at the bottom and right."""
        u = self.whole
        self.here.copy_(planes)
        u[:, 0, 1:-1], u[:, 1:-1, 0] = planes[:, 1], planes[:, :, 1]
        u[:, -1, 1:-1], u[:, 1:-1, -1] = planes[:, -1], planes[:, :, -1]


class _Fields:
    """The picture u, the fields b and v = d - b of a stack of planes, and room to compute in.

    b and v have a border above and to the left, where b is what it began with and v is zero.
    """

    def __init__(self, like: Tensor):
        count, height, width = like.shape
        self.u, self.next, self.spare = _Picture(like), _Picture(like), _Picture(like)
        self._bordered = [like.new_zeros(count, height + 1, width + 1) for _ in range(4)]
        self.bx, self.by, self.vx, self.vy = (field[:, 1:, 1:] for field in self._bordered)
        self.vx_left, self.vy_above = self._bordered[2][:, 1:, :-1], self._bordered[3][:, :-1, 1:]
        self.tx, self.ty, self.length, self.known, self.sum, self.share = (torch.empty_like(like) for _ in range(6))
        self.done = torch.zeros(count, dtype=torch.bool, device=like.device)

    @property
    def result(self) -> Tensor:
        return self.u.here

    def begin(self, planes: Tensor) -> None:
        """Planes [n, H, W]; b begins with the last result."""
        for field, start in zip(self._bordered, (self.u.whole[:, :-1, :-1],) * 2 + (None,) * 2, strict=True):
            field.zero_() if start is None else field.copy_(start)
        for u in (self.u, self.next, self.spare):
            u.fill(planes)
        torch.div(planes, 9, out=self.share)  # weight / (weight + 4 lambda)
        self.done.zero_()

    def solve(self, limit: Tensor, iterations: int, passes: int) -> None:
        """Sweep until every plane has changed by no more than its limit; a plane that has is left alone."""
        patience = _patience(limit.device)
        # A lone plane needs not be left alone where the loop ends with it.
        ends = len(self.done) == 1 and patience == 1
        for iteration in range(iterations):
            new = self._sweep(passes)
            torch.sub(new.here, self.u.here, out=self.sum)
            change = torch.linalg.vector_norm(self.sum, dim=(1, 2))
            old, self.u = self.u, new
            if not ends:
                torch.where(self.done.view(-1, 1, 1), old.whole, new.whole, out=new.whole)
            self.next, self.spare = (each for each in (self.next, self.spare, old) if each is not new)
            self.done |= change <= limit
            if (iteration + 1) % patience == 0 and bool(self.done.all()):
                return

    def _sweep(self, passes: int) -> _Picture:
        """The next u; b and v are renewed in place."""
        u = self.u
        torch.add(u.right, u.below, out=self.known).sub_(self.vx).sub_(self.vy)
        torch.add(self.bx, u.right, out=self.tx).sub_(u.here)
        torch.add(self.by, u.below, out=self.ty).sub_(u.here)
        torch.mul(self.tx, self.tx, out=self.length).addcmul_(self.ty, self.ty)
        self.length.rsqrt_().reciprocal_().add_(1)  # on CPUs several times faster than sqrt; 0 stays 0
        # t = gradient + b; d = t |t| / (1 + |t|), which leaves b = t / (1 + |t|) and v = d - b = t - 2 b.
        torch.div(self.tx, self.length, out=self.bx)
        torch.div(self.ty, self.length, out=self.by)
        torch.sub(self.tx, self.bx, alpha=2, out=self.vx)
        torch.sub(self.ty, self.by, alpha=2, out=self.vy)
        self.known.add_(self.vx_left).add_(self.vy_above)
        torch.add(self.share, self.known, alpha=COEFFICIENT, out=self.known)
        new, other = self.next, self.spare
        for _ in range(passes):
            torch.add(u.above, u.left, out=self.sum)
            torch.add(self.known, self.sum, alpha=COEFFICIENT, out=new.here)
            u, new, other = new, other, new
        return u
