"""Temperature and learning rate: the link to probabilities, the log-normal model, its fit, and the target curve.

The probability that a pattern changes in a step is P(rate) = Phi((ln rate - mu) / sigma) (ActCooLR, H), a temperature T
of b bits says that P = 1 - 2^-T. The listing of ActCooLR goes to the temperature by the base 2 and back by e; link "e"
repeats that for comparison.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri, ndtri_exp

Link = Literal["2", "e"]
LINKS = {"2": float(np.log(2.0)), "e": 1.0}  # nats per unit of temperature

# A curve that moves by less than this between its lowest and highest probability has no sigma.
FLAT = 0.05
# Probabilities that fall by more than this, while learning rates rise, contradict the model; by more than a quarter
# of it they are worth a warning.
FALL = 0.2
# A fit whose points are further than this from the curve (root mean square), or whose sigma is this uncertain, warns.
MISFIT = 0.05
UNCERTAIN = 0.25
# Sigma that moves by more than this share between two moments has drifted.
DRIFT = 0.25
FEWEST = 3  # points of a fit
# Probabilities closer than this to 0 and 1 tell nothing about the slope.
EDGE = 0.01
JUMPS = (
    "the range curve jumps: no learning rate lies where the probability that a pattern changes rises, so sigma is not "
    "defined; take more learning rates there"
)


class ModelWarning(UserWarning):
    """The model describes these temperatures badly: a learning rate computed with it may be wrong."""


def _nats(link: str) -> float:
    if link not in LINKS:
        raise ValueError(f"link is {link!r}, should be one of {', '.join(LINKS)}")
    return LINKS[link]


def to_probability(temperature: np.ndarray | float, link: Link = "2") -> np.ndarray | float:
    """Probability that a pattern changes, from 0 to 1, of a temperature of at least 0 (ActCooLR, H)."""
    return -np.expm1(-np.asarray(temperature, np.float64) * _nats(link))


def to_temperature(probability: np.ndarray | float, link: Link = "2") -> np.ndarray | float:
    """Temperature of a probability that a pattern changes; infinite for 1."""
    with np.errstate(divide="ignore"):
        return -np.log1p(-np.asarray(probability, np.float64)) / _nats(link) + 0.0


def quantile(temperature: float, link: Link = "2") -> float:
    """Phi^-1 of the temperature's probability, exact where that is close to 1; -inf for 0."""
    if temperature == 0:
        return -np.inf
    return float(-ndtri_exp(-temperature * _nats(link)))


def target_temperature(initial: float, exponent: float, done: float) -> float:
    """Temperature T0 (1 - t)^gamma at the share t of a training (docs/methods.md, Target curve and steps)."""
    return initial * (1.0 - min(max(done, 0.0), 1.0)) ** exponent


def check_target(initial: float, exponent: float, link: Link = "2") -> None:
    """Raises ValueError for a curve of temperatures that makes no sense."""
    if not (np.isfinite(initial) and initial >= 0):
        raise ValueError(f"initial_temperature is {initial}, should be a number of at least 0")
    if not (np.isfinite(exponent) and exponent > 0):
        raise ValueError(f"exponent is {exponent}, should be a number above 0")
    if to_probability(initial, link) >= 1:
        raise ValueError(
            f"initial_temperature is {initial}: target temperature too high, it asks for probability 1 that a "
            "pattern changes; usual are 1 to 5"
        )


def adapted_rate(
    rate: float, sigma: float, measured: float, target: float, epsilon: float = 0.0, link: Link = "2"
) -> float:
    """The learning rate at which the model expects the target temperature (docs/methods.md, Target curve and steps).

    rate: learning rate at which `measured` was measured; epsilon: the measured probability is taken to be at least
    this and at most 1 minus this. 0 for a target of 0.
    """
    if target == 0:
        return 0.0
    found = ndtri(np.clip(to_probability(measured, link), epsilon, 1 - epsilon))
    # A learning rate that overflows is as good as any above the schedule's bounds.
    with np.errstate(over="ignore"):
        return float(rate * np.exp(sigma * (quantile(target, link) - found)))


@dataclass(frozen=True)
class Fit:
    """The model fitted to temperatures over learning rates.

    covariance: [2, 2] of (sigma, mu), from the points' distances to the curve, which may differ along it; residual:
    root mean square of the differences of probabilities; points: how many learning rates; notes: why the model should
    not be trusted, empty if it may.
    """

    sigma: float
    mu: float
    covariance: np.ndarray
    residual: float
    points: int
    link: Link = "2"
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of sigma and mu."""
        return tuple(float(each) for each in np.sqrt(np.diag(self.covariance)))

    def probability(self, rates: np.ndarray) -> np.ndarray:
        """The fitted probability that a pattern changes, at learning rates."""
        return ndtr((np.log(np.asarray(rates, np.float64)) - self.mu) / self.sigma)

    def temperature(self, rates: np.ndarray) -> np.ndarray:
        """The fitted temperature at learning rates."""
        return to_temperature(self.probability(rates), self.link)

    def rate(self, temperature: float) -> float:
        """The learning rate at which the model expects a temperature: exp(mu + sigma Phi^-1(g(T)))."""
        return float(np.exp(self.mu + self.sigma * quantile(temperature, self.link)))

    def drift(self, earlier: Fit) -> str | None:
        """How sigma has moved since an earlier fit, in words; None where it is as constant as ActCooLR needs it.

        It has moved where it differs by more than a quarter and by more than twice its standard error.
        """
        moved = abs(self.sigma - earlier.sigma)
        error = float(np.hypot(self.errors[0], earlier.errors[0]))
        if moved <= DRIFT * earlier.sigma or moved <= 2 * error:
            return None
        return f"sigma was {earlier.sigma:.3g} and is {self.sigma:.3g} now (standard error {error:.2g})"


def warn_of_drift(earlier: Fit, later: Fit) -> None:
    """Warn where sigma is not the constant that ActCooLR takes it for (ActCooLR, C: FashionMNIST)."""
    drift = later.drift(earlier)
    if drift:
        warnings.warn(f"the model drifts: {drift}; fit it again", ModelWarning, stacklevel=2)


def check_rates(rates: np.ndarray, name: str = "rates") -> np.ndarray:
    """Learning rates float64 [R]. Raises ValueError: fewer than 3, not positive, not rising."""
    rates = np.asarray(rates, np.float64)
    if rates.ndim != 1 or len(rates) < FEWEST:
        raise ValueError(f"{name} has shape {list(rates.shape)}, should be a list of at least {FEWEST} learning rates")
    wrong = ~(np.isfinite(rates) & (rates > 0))
    if wrong.any():
        raise ValueError(f"{name} has {rates[wrong][0]:g}, should be learning rates above 0")
    if (np.diff(rates) <= 0).any():
        place = int(np.argmax(np.diff(rates) <= 0))
        raise ValueError(f"{name} has {rates[place]:g} before {rates[place + 1]:g}, should rise")
    return rates


def fit(rates: np.ndarray, temperatures: np.ndarray, link: Link = "2") -> Fit:
    """Least squares of the model's probabilities, from the start (1, mean ln rate) (ActCooLR, H).

    rates [R] rising, above 0; temperatures [R] at least 0. Warns (ModelWarning) where the model fits badly. Raises
    ValueError for fewer than 3 points, lengths that differ, and curves without a fit: flat ones and such as fall.
    """
    rates = check_rates(rates)
    temperatures = np.asarray(temperatures, np.float64)
    if temperatures.shape != rates.shape:
        raise ValueError(
            f"temperatures has shape {list(temperatures.shape)}, should be one for each of {len(rates)} rates"
        )
    if not (np.isfinite(temperatures) & (temperatures >= 0)).all():
        raise ValueError("temperatures has a number that is negative or not finite, should be at least 0")
    measured = np.asarray(to_probability(temperatures, link))
    fall = _checked_curve(rates, measured)
    logs = np.log(rates)
    from scipy.optimize import curve_fit  # most trainings never ask, and it takes longer to load than the rest here

    (sigma, mu), _ = curve_fit(
        lambda log, sigma, mu: ndtr((log - mu) / sigma),
        logs,
        measured,
        p0=(1.0, logs.mean()),
        bounds=([1e-6, -np.inf], np.inf),
        ftol=1e-14,
        xtol=1e-14,
        gtol=1e-14,
        max_nfev=10000,
    )
    misses = measured - ndtr((logs - mu) / sigma)
    covariance = _covariance((logs - mu) / sigma, sigma, misses)
    residual = float(np.sqrt(np.mean(misses**2)))
    notes = _notes(logs, float(sigma), float(mu), covariance, residual, fall)
    for note in notes:
        warnings.warn(f"the model does not fit well: {note}", ModelWarning, stacklevel=2)
    return Fit(float(sigma), float(mu), covariance, residual, len(rates), link, notes)


def _covariance(scores: np.ndarray, sigma: float, misses: np.ndarray) -> np.ndarray:
    """Of sigma and mu, by the sandwich estimator (HC2): a count near 0 or all is much surer than one in the middle.

    scores [R]: where the points are on the curve; misses [R]. Raises ValueError where no point tells the slope.
    """
    density = np.exp(-(scores**2) / 2) / np.sqrt(2 * np.pi) / sigma
    slopes = -np.stack([density * scores, density], 1)
    information = slopes.T @ slopes
    if not np.linalg.cond(information) < 1e12:
        raise ValueError(JUMPS)
    inverse = np.linalg.inv(information)
    leverage = np.einsum("ri,ij,rj->r", slopes, inverse, slopes)
    weights = misses**2 / np.maximum(1 - leverage, 1e-9)
    return inverse @ (slopes.T * weights) @ slopes @ inverse


def _checked_curve(rates: np.ndarray, measured: np.ndarray) -> float:
    """By how much the probability falls at most. Raises ValueError for a curve that no sigma describes."""
    spread = float(np.ptp(measured))
    if spread < FLAT:
        cause = (
            "take higher learning rates, or analyse after some steps where the last layer starts at zero (Fixup)"
            if measured.max() < 0.5
            else "take lower learning rates"
        )
        raise ValueError(
            f"the range curve is flat: the probability that a pattern changes is {measured.min():.3g} to "
            f"{measured.max():.3g} from {rates[0]:g} to {rates[-1]:g}, so sigma is not defined; {cause}"
        )
    if ((measured < EDGE) | (measured > 1 - EDGE)).all():
        raise ValueError(JUMPS)
    falls = np.maximum.accumulate(measured) - measured
    worst = int(np.argmax(falls))
    if falls[worst] > FALL:
        top = int(np.argmax(measured[: worst + 1]))
        raise ValueError(
            f"the range curve is not monotone: the probability that a pattern changes falls from {measured[top]:.3g} "
            f"at {rates[top]:g} to {measured[worst]:.3g} at {rates[worst]:g}, so the model means nothing"
        )
    return float(falls[worst])


def _notes(
    logs: np.ndarray, sigma: float, mu: float, covariance: np.ndarray, residual: float, fall: float
) -> tuple[str, ...]:
    notes = []
    if residual > MISFIT:
        notes.append(f"points are {residual:.3f} from the curve (root mean square of probabilities)")
    error = float(np.sqrt(covariance[0, 0]))
    if not np.isfinite(error) or error > UNCERTAIN * sigma:
        notes.append(f"sigma is {sigma:.3g} with a standard error of {error:.2g}")
    if fall > FALL / 4:
        notes.append(f"the probability falls by {fall:.3f} although learning rates rise")
    if not logs[0] <= mu <= logs[-1]:
        notes.append(f"half of the patterns change at {np.exp(mu):.3g}, which is outside of the learning rates")
    return tuple(notes)
