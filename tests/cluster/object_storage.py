"""An S3 of this machine: a real server in a process of its own, and a proxy before it that is as bad as a network."""

from __future__ import annotations

import http.client
import random
import shutil
import socket
import subprocess
import sysconfig
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEY, SECRET = "filterscope", "only-of-this-machine"
PATIENCE = 20  # seconds until the server answers
# Headers that are of one connection, not of what is sent over it.
HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


@dataclass
class Server:
    """rclone's S3 server, which checks signatures; buckets are folders of `folder`."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Server:
        self.folder.mkdir(parents=True, exist_ok=True)
        rclone = shutil.which("rclone", path=sysconfig.get_path("scripts")) or "rclone"
        command = [rclone, "serve", "s3", str(self.folder), "--addr", f"127.0.0.1:{self.port}"]
        command += ["--auth-key", f"{KEY},{SECRET}", "--config", "", "--log-file", str(self.folder) + ".log"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            time.sleep(0.05)
        raise TimeoutError(f"the S3 server does not answer after {PATIENCE} s, see {self.folder}.log")

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()


def environment(port: int) -> dict[str, str]:
    """What tells Snakemake's plugin of this server, in the way that keeps secrets out of command lines."""
    return {
        "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "SNAKEMAKE_STORAGE_S3_ACCESS_KEY": KEY,
        "SNAKEMAKE_STORAGE_S3_SECRET_KEY": SECRET,
    }


@dataclass
class Faults:
    """A proxy before the server. One request of `every` meets a fault, which one is drawn; `met` counts them.

    unavailable: 503 instead of an answer. broken: the connection ends in the middle of what is sent back. lost: the
    server has done it, and nobody hears of it. refused: the connection ends before anything is done.
    """

    server: Server
    every: int = 6
    seed: int = 0
    kinds: tuple[str, ...] = ("unavailable", "broken", "lost", "refused")
    met: Counter = field(default_factory=Counter)
    answered: int = 0

    def __enter__(self) -> Faults:
        chance, lock, faults = random.Random(self.seed), threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                with lock:
                    fault = chance.choice(faults.kinds) if chance.random() < 1 / faults.every else None
                    faults.met[fault] += fault is not None
                    faults.answered += fault is None
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if fault == "unavailable":
                    self._answer(503, {}, b"<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>")
                elif fault == "refused":
                    self._end()
                else:
                    self._pass_on(body, fault)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815

            def _pass_on(self, body: bytes, fault: str | None) -> None:
                backend = http.client.HTTPConnection("127.0.0.1", faults.server.port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
                backend.request(self.command, self.path, body, headers)
                reply = backend.getresponse()
                content = reply.read()
                backend.close()
                if fault == "lost":
                    self._end()
                else:
                    self._answer(reply.status, dict(reply.getheaders()), content, cut=fault == "broken")

            def _answer(self, status: int, headers: dict, content: bytes, cut: bool = False) -> None:
                self.send_response(status)
                given = {name.lower() for name in headers}
                for name, value in headers.items():
                    if name.lower() not in {*HOP, "server", "date"}:
                        self.send_header(name, value)
                if "content-length" not in given and status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content[: len(content) // 2] if cut else content)
                if cut:
                    self._end()

            def _end(self) -> None:
                self.wfile.flush()
                self.close_connection = True
                with suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *_) -> None:
                """Says nothing."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_) -> None:
                """A client that has gone is no news here."""

        self.listening = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.listening.server_port
        threading.Thread(target=self.listening.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.listening.shutdown()
        self.listening.server_close()
