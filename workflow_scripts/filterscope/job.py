"""What every job does the same way: logging, progress, device, seeds."""

from __future__ import annotations

import atexit
import ctypes
import errno
import gc
import hashlib
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tqdm import tqdm

LOGGER = logging.getLogger("filterscope")
RESULTS = "results/"  # how the workflow's names of files begin
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
MANY = 64  # files of a folder, above which they are written together


def _is_script(main: str | None) -> bool:
    """Whether a program is one of the workflow's scripts, which lie beside the library; main: its file."""
    library = Path(__file__).resolve().parent
    folders = () if main is None else Path(main).resolve().parents
    return library.parent in folders and library not in folders


# While a script imports nothing becomes garbage, and looking for it takes a ninth of torch's import. Until log_to,
# with which every one begins; programs that are none of the workflow's are left alone.
if _is_script(getattr(sys.modules["__main__"], "__file__", None)):
    gc.disable()


def log_to(path: str | Path) -> None:
    """Send messages to the job's log file and to the terminal, and what an error says to both.

    When the job ends, what it has written is on the disk (`settle`). The imports are done by now: what they made is
    looked through for garbage no more, what comes is.
    """
    if not gc.isenabled():
        gc.enable()
        gc.freeze()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    formatting = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    LOGGER.setLevel(logging.INFO)
    for earlier in list(LOGGER.handlers):
        LOGGER.removeHandler(earlier)
        earlier.close()
    for handler in (logging.FileHandler(path, mode="w"), logging.StreamHandler(sys.stderr)):
        handler.setFormatter(formatting)
        LOGGER.addHandler(handler)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").handlers = [LOGGER.handlers[0]]
    sys.excepthook = _log_error
    atexit.unregister(_settle_at_the_end)
    atexit.register(_settle_at_the_end, path)


def settle(paths: Iterable[str | Path]) -> None:
    """Have the disks hold what was written to these files and folders, and beside them. Raises OSError where they do
    not.

    A file has its name before the disk has what is in it: without this, one that counts as done could be there, empty,
    after a loss of power in the next half minute, and a network file system would tell too late that it is full.
    """
    for path in map(Path, paths):
        inside = sorted(path.rglob("*")) if path.is_dir() else []
        if len(inside) > MANY and sys.platform.startswith("linux"):
            _hasten(path)
        for each in (*inside, path, path.parent):
            _settle(each)


def _hasten(folder: Path) -> None:
    """Have the folder's whole disk written at once, which is faster than many files one after another. What others
    write there is waited for, too, and whether it can be written is not asked."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        ctypes.CDLL(None).syncfs(opened)
    finally:
        os.close(opened)


def _settle(path: Path) -> None:
    """Of one file or folder; one that is not there any more, as after an error, is passed over."""
    try:
        opened = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a file system that has no disk
            said = f"{error.strerror}: the disk does not hold what was written"
            raise OSError(error.errno, said, str(path)) from None
    finally:
        os.close(opened)


def _settle_at_the_end(path_to_log: str | Path) -> None:
    """Of a job: its log and its outputs, whichever disks they lie on. It fails where they are not held."""
    running = getattr(sys.modules["__main__"], "snakemake", None)  # what Snakemake hands to a script
    try:
        settle([path_to_log, *getattr(running, "output", ())])
    except OSError as error:
        LOGGER.error("OSError: %s", error)
        os._exit(1)  # the interpreter would end as if nothing had happened


def _log_error(kind, error, trace) -> None:
    """The whole trace goes to the log file, what it says to the terminal."""
    to_file, to_terminal = LOGGER.handlers[0], LOGGER.handlers[1]
    message = f"{kind.__name__}: {_said(error, trace)}"
    record = LOGGER.makeRecord(LOGGER.name, logging.ERROR, "", 0, message, None, (kind, error, trace))
    to_file.emit(record)
    record.exc_info = record.exc_text = None
    to_terminal.emit(record)


def _said(error: BaseException, trace) -> str:
    """The error's message from its first line that says something on; where it has none, the place it comes from."""
    lines = [line for line in (*str(error).splitlines(), *getattr(error, "__notes__", ())) if line.strip()]
    if not lines:
        place = traceback.extract_tb(trace)[-1] if trace else None
        where = f" of {Path(place.filename).name}, line {place.lineno}, {place.name}" if place else ""
        return f"an error without a message{where}; the log file has the trace"
    return "\n".join([lines[0].strip(), *lines[1:]])


def progress(items: Iterable, total: int | None = None, title: str = "") -> Iterator:
    """Go through the items with a bar on the terminal and, every ten seconds, a line in the log file."""
    handlers = [handler for handler in LOGGER.handlers if isinstance(handler, logging.FileHandler)]
    last = time.monotonic()
    bar = tqdm(items, total=total, desc=title, mininterval=1.0, disable=None)
    for count, item in enumerate(bar, start=1):
        yield item
        if time.monotonic() - last > 10:
            last = time.monotonic()
            message = f"{title}: {count}" + (f" of {bar.total}" if bar.total else "")
            for handler in handlers:
                handler.emit(LOGGER.makeRecord(LOGGER.name, logging.INFO, "", 0, message, None, None))


@contextmanager
def steps(total: int, title: str) -> Iterator[Callable[[str], None]]:
    """Progress of work that reports every step of its own accord: what it calls with the step's name."""
    bar = progress(range(total), total, title)
    try:
        yield lambda step: next(bar)
    finally:
        bar.close()


def located(named: object, inputs: Iterable[str | Path]) -> object:
    """Paths of results, wherever they stand in nested lists and mappings, as this job finds them among its inputs.

    Rules name files as the workflow does, `results/…`. Where results are kept in a bucket, or in another folder, a
    job's inputs are copies below a prefix, which no parameter should hold: it is another on every node. Texts that do
    not begin like results stay. Raises ValueError for a file that is no input of the job: nobody has brought it.
    """
    if isinstance(named, Mapping):
        return {key: located(value, inputs) for key, value in named.items()}
    if isinstance(named, str):
        if not named.startswith(RESULTS):
            return named
        for each in inputs:
            if str(each) == named or str(each).endswith(f"/{named}"):
                return str(each)
        raise ValueError(f"{named} is read, but is no input of this job: add it to the inputs of its rule")
    if isinstance(named, Iterable):
        return [located(value, inputs) for value in named]
    return named


def empty_folder(path: str | Path) -> Path:
    """The folder, new and empty."""
    folder = Path(path)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@cache
def device():
    """The GPU where there is one, else the CPU; of several GPUs the one that the scheduler has given to this job, or
    one that no other job has taken.

    What CUDA_VISIBLE_DEVICES leaves out is not there at all.
    """
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    gpus = [str(torch.cuda.get_device_properties(index).uuid) for index in range(torch.cuda.device_count())]
    given = assigned(os.environ, len(gpus))
    chosen = torch.device("cuda", given[take_one([gpus[index] for index in given])] if len(given) > 1 else given[0])
    torch.cuda.set_device(chosen)
    return chosen


def assigned(environment: Mapping[str, str], visible: int) -> list[int]:
    """Indices, among the visible GPUs, of those that this job may use.

    All of them where CUDA_VISIBLE_DEVICES has chosen (Slurm sets it, too) or nobody has. A Slurm that hides nothing
    still tells the indices that it has given: to the step, else to the job.
    """
    given = environment.get("SLURM_STEP_GPUS") or environment.get("SLURM_JOB_GPUS") or ""
    indices = [int(index) for index in given.split(",") if index.isdigit() and int(index) < visible]
    return list(range(visible)) if "CUDA_VISIBLE_DEVICES" in environment or not indices else indices


def take_one(names: Sequence[str]) -> int:
    """Index of the first of these things that no other process of this user has taken; ours until we end.

    Snakemake counts GPUs but does not say which one a job may use. A lock per GPU in the temporary folder
    does, and the operating system gives it back however the job ends. Where all are taken one is shared.
    """
    import fcntl

    for index, name in enumerate(names):
        path = Path(tempfile.gettempdir()) / f"filterscope-{os.getuid()}-{name}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return index  # the lock lasts as long as its open file, so the file is never closed
    return os.getpid() % len(names)


def end_with_parent() -> None:
    """Let the kernel end this process of multiprocessing's when its parent ends, however that ends (Linux).

    A killed job cannot tell its decoding processes, and those that wait for a lock would wait for ever.
    """
    if not sys.platform.startswith("linux"):
        return
    import multiprocessing

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is None or os.getppid() != parent.pid:  # it had ended before
        os._exit(1)


def use_threads(granted: int, wanted: int | None = None) -> None:
    """Calculate with as many threads as the study says, however many cores the scheduler grants.

    Sums are rounded by how threads share them out, so that a study of two threads would end with other weights where
    one core is granted. The study's number is in the environment (configuration.share_threads); without it, what is
    granted counts. wanted: of a job that has a number of its own.
    """
    from threadpoolctl import threadpool_limits

    threads = max(1, wanted or int(os.environ.get("FILTERSCOPE_THREADS", granted)))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # of libraries that are loaded later
        os.environ[name] = str(threads)
    threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def derived_seed(seed: int, *names: str | int) -> int:
    """A seed of its own for each named part of a study, the same on every machine."""
    part = repr((seed, *map(str, names))).encode()
    return int.from_bytes(hashlib.sha256(part).digest()[:4], "little")
