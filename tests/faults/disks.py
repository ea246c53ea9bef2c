"""A small disk of one's own, in a file: it can be filled, be frozen for a while, and lose its power.

Needs an administrator's rights on Linux, ext4 and a loop device.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_EXT4_IOC_SHUTDOWN = 0x8004587D  # linux/fs/ext4/ext4.h; struct.calcsize("I") is in it
_NO_LOG_FLUSH = 2  # EXT4_GOING_FLAGS_NOLOGFLUSH: not even the journal gets what is still in memory


class NoDiskError(RuntimeError):
    """No disk can be had here; says why."""


@dataclass
class Disk:
    """An ext4 file system, mounted at a folder. image: the file that it lies in.

    Names of files reach the disk every second, their content when the kernel likes or somebody asks for it: as on any
    machine, only that those wait for five seconds.
    """

    image: Path
    folder: Path
    megabytes: int = 600

    @property
    def ballast(self) -> Path:
        """What fills it."""
        return self.folder / ".ballast"

    def make(self) -> None:
        """Format and mount. Raises NoDiskError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.image.open("wb") as file:
            file.truncate(self.megabytes * 2**20)
        try:
            # As many inodes as a study has files; nothing reserved for the administrator, who runs this.
            _do("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", "-i", "16384", self.image)
            self._mount()
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            self.image.unlink()
            raise NoDiskError(f"a disk can be mounted by the administrator of a Linux only: {said.strip()}") from error

    def remove(self) -> None:
        """Whatever is still on it."""
        if os.path.ismount(self.folder):
            _do("umount", "--lazy", self.folder)
        self.image.unlink(missing_ok=True)

    def clear(self) -> None:
        """Take every file away."""
        for path in self.folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def fill(self) -> None:
        """Leave no room, and take what jobs free meanwhile."""
        with self.ballast.open("ab") as file:
            for amount in (2**20, 4096):
                try:
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, amount)
                except OSError:
                    continue

    def make_room(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def set_frozen(self, yes: bool) -> None:
        """Whether names can be made, moved or removed in results/; what is open can still be written."""
        folders = [str(self.folder / "results"), *map(str, (self.folder / "results").rglob("*/"))]
        for start in range(0, len(folders), 500):
            # Folders may vanish meanwhile.
            command = ["chattr", "-f", "+i" if yes else "-i", *folders[start : start + 500]]
            subprocess.run(command, check=False, capture_output=True)

    def lose_power(self) -> None:
        """From now on nothing is written any more, whatever programs think. Mount it anew with `restart`."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def restart(self, patience: float = 60) -> None:
        """With what had reached the disk. What runs on it must end within so many seconds."""
        deadline = time.monotonic() + patience
        while True:
            try:
                _do("umount", self.folder)
                break
            except subprocess.CalledProcessError:  # a killed process may take its time to go
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        self._mount()

    def _mount(self) -> None:
        _do("mount", "-o", "loop,commit=1", self.image, self.folder)


def _do(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
