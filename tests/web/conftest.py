"""A mirror on this machine: a web server with ranges and versions that can be told to misbehave."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image


@dataclass
class Mirror:
    """`files` by path, and per path the `faults` that the next requests meet, one each.

    A fault is a function of the handler and of the file's content that answers in its own way.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Callable]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    versions: bool = True  # whether answers carry an ETag
    server: ThreadingHTTPServer | None = None

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"

    def ranges(self, path: str) -> list[str | None]:
        """The Range header of every request for a file."""
        return [asked for requested, asked in self.requests if requested == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    mirror: Mirror

    def do_GET(self):
        path = self.path.lstrip("/")
        self.mirror.requests.append((path, self.headers["Range"]))
        faults = self.mirror.faults.get(path, [])
        if faults:
            faults.pop(0)(self, self.mirror.files.get(path, b""))
        elif path not in self.mirror.files:
            self.send_error(404)
        else:
            self.serve(self.mirror.files[path])

    def do_HEAD(self):
        """Where hubs are asked which version there is, before it is fetched. Faults wait for that."""
        path = self.path.lstrip("/")
        content = self.mirror.files.get(path)
        self.send_response(404 if content is None else 200)
        if content is not None:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def serve(self, content: bytes, cut: int | None = None) -> None:
        """The file or the rest that is asked for; with `cut` only so many bytes of the answer."""
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        start = 0
        if self.headers["Range"] and self.headers["If-Range"] in (None, tag):
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.mirror.versions:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][:cut])
        self.close_connection = cut is not None

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Clients that leave early are part of the tests; everything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    mirror = Mirror()
    server = Server(("127.0.0.1", 0), type("MirrorHandler", (Handler,), {"mirror": mirror}))
    mirror.server = server
    mirror.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield mirror
    mirror.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def status(code: int) -> Callable:
    return lambda handler, content: handler.send_error(code)


def cut(after: int) -> Callable:
    return lambda handler, content: handler.serve(content, cut=after)


def hang(after: int) -> Callable:
    """Some bytes of the answer, then silence with the connection open."""

    def answer(handler, content):
        handler.serve(content, cut=after)
        handler.wfile.flush()
        handler.mirror.released.wait(20)

    return answer


def web_page(handler, content):
    page = b"<!DOCTYPE html><html><body>Please log in</body></html>"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html; charset=utf-8")
    handler.send_header("Content-Length", str(len(page)))
    handler.end_headers()
    handler.wfile.write(page)


@pytest.fixture
def faults():
    """The ways in which a mirror may misbehave."""
    return {"status": status, "cut": cut, "hang": hang, "web page": web_page}


def packed(files: dict[str, bytes]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return memory.getvalue()


@pytest.fixture(scope="session")
def zipped() -> Callable[[dict[str, bytes]], bytes]:
    """Packs files, contents by name."""
    return packed


@pytest.fixture(scope="session")
def coco_archives() -> dict[str, bytes]:
    """A COCO of three pictures and GloVe of two words, packed and placed as the official ones are."""
    files: dict[str, dict[str, bytes]] = {"train2017": {}, "val2017": {}, "annotations": {}}
    for split, numbers in (("train2017", (9, 25)), ("val2017", (139,))):
        for number in numbers:
            memory = io.BytesIO()
            Image.effect_noise((64, 48), 60).convert("RGB").save(memory, "JPEG")
            files[split][f"{split}/{number:012}.jpg"] = memory.getvalue()
        content = {
            "images": [{"id": n, "file_name": f"{n:012}.jpg", "width": 64, "height": 48} for n in numbers],
            "annotations": [
                {
                    "id": 1000 + n,
                    "image_id": n,
                    "category_id": 58,
                    "segmentation": [[8, 8, 24, 8, 24, 24, 8, 24]],
                    "bbox": [8, 8, 16, 16],
                    "area": 256,
                    "iscrowd": 0,
                }
                for n in numbers
            ],
            "categories": [{"id": 58, "name": "hot dog"}],
        }
        files["annotations"][f"annotations/instances_{split}.json"] = json.dumps(content).encode()
    return {
        "zips/train2017.zip": packed(files["train2017"]),
        "zips/val2017.zip": packed(files["val2017"]),
        "annotations/annotations_trainval2017.zip": packed(files["annotations"]),
        "glove.6B.zip": packed({"glove.6B.50d.txt": b"hot 1 2\ndog 3 4\n"}),
    }
