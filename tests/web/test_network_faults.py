"""What networks and servers do wrong, to each downloader: files come whole, or it is said why not and what to do."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import io
import socket
import ssl
import struct
import subprocess
import time
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torchvision.models import Weights, WeightsEnum

from data.datasets.download_coco import download_coco
from data.datasets.download_visual_genome import download_visual_genome
from data.samples.download_samples import download_samples
from data.vocabularies.download_glove import download_glove
from filterscope.data.networks import architectures, timm_models
from filterscope.data.networks.settings import NetworkError, NetworkSettings
from filterscope.data.samples import downloads
from filterscope.data.samples.labelled_samples import SamplesError
from filterscope.data.web import download
from filterscope.data.web.download import DownloadError
from filterscope.words.rivals import open_clip_models
from filterscope.words.rivals.open_clip_models import ClipError

CONTENT = b"PK\x03\x04" + bytes(range(256)) * 400
PATIENT = {"retries": 2, "timeout": 0.5, "backoff": 0.01}
CUT = 10_000  # bytes that arrive before something happens


def from_coco(address, folder):
    download_coco(folder / "val2017.zip", archive="val2017.zip", mirror=address, verify=False, **PATIENT)


def from_glove(address, folder):
    download_glove(folder / "glove.6B.zip", mirror=address, verify=False, **PATIENT)


def from_visual_genome(address, folder):
    path = folder / "images.zip"
    download_visual_genome(path, folder / "lock.yaml", "images", [f"{address}/images.zip"], verify=False, **PATIENT)


def from_cifar(address, folder):
    settings = {"source": "cifar10", "mirrors": [address], "verify": False}
    download_samples(folder / "cifar", settings, **PATIENT)


# By downloader: what it asks the mirror for, and the file that it makes.
DOWNLOADERS = {
    "coco": (from_coco, "zips/val2017.zip", "val2017.zip"),
    "glove": (from_glove, "glove.6B.zip", "glove.6B.zip"),
    "visual_genome": (from_visual_genome, "images.zip", "images.zip"),
    "samples": (from_cifar, "cifar-10-binary.tar.gz", "cifar/cifar-10-binary.tar.gz"),
}


@pytest.fixture(params=DOWNLOADERS)
def downloader(request, mirror, tmp_path):
    """A mirror that has the file, how to download it, its path there and here, and its content."""
    function, path, target = DOWNLOADERS[request.param]
    content = gzip.compress(CONTENT, mtime=0) + CONTENT if request.param == "samples" else CONTENT
    mirror.files[path] = content
    folder = tmp_path / "downloads"
    folder.mkdir()
    return lambda address=mirror.address: function(address, folder), path, folder / target, content


def answer(code: int, headers: dict | None = None, body: bytes = b""):
    """An answer that has nothing to do with the file."""

    def fault(handler, content):
        handler.send_response(code)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            handler.send_header(name, str(value() if callable(value) else value))
        handler.end_headers()
        handler.wfile.write(body)

    return fault


def whole(handler, content):
    handler.serve(content)


def cut(handler, content):
    handler.serve(content, cut=CUT)


def slow(handler, content):
    """All of it, in many pieces, the whole of which takes longer than the patience for one."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for start in range(0, len(content), len(content) // 12):
        handler.wfile.write(content[start : start + len(content) // 12])
        time.sleep(0.05)


def reset(handler, content):
    """The connection is torn down as by a crashed server, not closed."""
    handler.serve(content, cut=CUT)
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hang_up(handler, content):
    handler.close_connection = True


def no_http(handler, content):
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handler.close_connection = True


def silent(handler, content):
    handler.mirror.released.wait(5)


def without_ranges(handler, content):
    """A server that knows no ranges sends everything again."""
    del handler.headers["Range"]
    handler.serve(content)


def another_part(told: str):
    def fault(handler, content):
        answer(206, {"Content-Range": told}, content[5:500])(handler, content)

    return fault


def cut_chunks(handler, content):
    """A chunk that ends before its length is reached."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n" % len(content) + content[:CUT])
    handler.close_connection = True


def of_another_version(handler, content):
    handler.serve(content[:4] + content[:3:-1], cut=CUT)


def an_hour_ago() -> str:
    return email.utils.formatdate(time.time() - 3600, usegmt=True)


BUSY = b"<html>Too many requests</html>"
PASSING = {
    "slow": [slow],
    "reset in the middle": [reset],
    "hung up before an answer": [hang_up],
    "silence": [silent],
    "no HTTP": [no_http],
    "cut": [cut],
    "cut again at the resume": [cut, cut],
    "reset at the resume": [cut, reset],
    "a chunk that is cut": [cut_chunks],
    "ranges not known": [cut, without_ranges],
    "range refused": [cut, answer(416)],
    "another part than was asked for": [cut, another_part("bytes 5-499/104004")],
    "a part without its place": [cut, another_part("all of it")],
    "changed between the parts": [of_another_version],
    "408": [answer(408)],
    "429 with Retry-After": [answer(429, {"Retry-After": 0}, BUSY)],
    "429 with a date that is over": [answer(429, {"Retry-After": an_hour_ago}, BUSY)],
    "503 with nonsense in Retry-After": [answer(503, {"Retry-After": "soon"}, BUSY)],
    "502 with a page": [answer(502, {"Content-Type": "text/html"}, BUSY)],
    "busy at the resume": [cut, answer(503)],
}
REFUSED = {
    "a web page": (
        [answer(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")],
        "web page instead of the file",
    ),
    "another kind of file": ([answer(200, {}, b"%PDF-1.7 and so on")], "begins with b'%P"),
    "an empty file": ([answer(200)], "the server sent an empty file; try again later"),
    "no content": ([answer(204)], "the server sent an empty file"),
    "packed though nobody asked": (
        [answer(200, {"Content-Encoding": "gzip"}, gzip.compress(CONTENT))],
        r"the server packed the file \(gzip\); use another mirror",
    ),
    "a login": ([answer(401)], "401.*check the address"),
    "forbidden": ([answer(403)], "403.*check the address"),
    "a proxy that wants a password": ([answer(407)], "407.*check the address"),
    "gone": ([answer(410)], "410.*check the address"),
    "a redirection to a file of this machine": (
        [answer(302, {"Location": "file:///etc/hostname"})],
        "redirects in a circle, to nowhere or to what is no web address",
    ),
    "a redirection to nowhere": ([answer(302)], "redirects in a circle, to nowhere"),
    "a page at the resume": (
        [cut, answer(200, {"Content-Type": "text/html"}, b"<html>Log in</html>")],
        "web page instead of the file",
    ),
    "forbidden at the resume": ([cut, answer(403)], "403.*check the address"),
}


def left(folder) -> list[str]:
    """Files, hidden ones too, that are there."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock.yaml")


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_waited_for(downloader, mirror, fault):
    fetch, path, target, content = downloader
    mirror.faults[path] = list(PASSING[fault])
    fetch()
    assert target.read_bytes() == content
    assert left(target.parent) == [target.name]
    assert not mirror.faults[path], "the fault was met"


def test_the_log_tells_what_passed(downloader, mirror, caplog):
    fetch, path, _, content = downloader
    mirror.faults[path] = [cut]
    fetch()
    cause = f"the connection was cut after {CUT:,} of {len(content):,} bytes; trying again in 0 s"
    assert f"{mirror.address}/{path}: {cause}" in caplog.messages


@pytest.mark.parametrize("fault", REFUSED)
def test_what_stays_wrong_is_said_at_once(downloader, mirror, fault):
    fetch, path, target, _ = downloader
    answers, said = REFUSED[fault]
    mirror.faults[path] = list(answers)
    with pytest.raises(DownloadError, match=said):
        fetch()
    assert len(mirror.requests) == len(answers), "asked no further"
    assert not target.exists()
    if len(answers) == 1:
        assert not [name for name in left(target.parent.parent) if name.endswith(".part")]


def test_a_redirection_in_a_circle(downloader, mirror):
    fetch, path, target, _ = downloader
    around = answer(302, {"Location": f"{mirror.address}/{path}"})
    mirror.faults[path] = [around] * 40
    with pytest.raises(DownloadError, match="redirects in a circle"):
        fetch()
    assert len(mirror.requests) < 15
    assert not target.exists()


def test_a_redirection_to_a_place_that_is_broken(downloader, mirror):
    fetch, path, target, content = downloader
    mirror.files["elsewhere"] = content
    mirror.faults[path] = [answer(307, {"Location": f"{mirror.address}/elsewhere"})] * 2
    mirror.faults["elsewhere"] = [cut]
    fetch()
    assert target.read_bytes() == content
    assert mirror.ranges("elsewhere") == [None, f"bytes={CUT}-"]


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("86400", 600), ("date", 30)])
def test_a_server_that_says_when_is_called_then(mirror, tmp_path, monkeypatch, asked, waited):
    """At most ten minutes; it used to be called again within a second, which mirrors punish."""
    asked = email.utils.formatdate(time.time() + 30, usegmt=True) if asked == "date" else asked
    slept = []
    monkeypatch.setattr(download.time, "sleep", slept.append)
    mirror.files["file.zip"] = CONTENT
    mirror.faults["file.zip"] = [answer(429, {"Retry-After": asked}, BUSY)]
    download.fetch(mirror.url("file.zip"), tmp_path / "file.zip", **PATIENT)
    assert slept == [pytest.approx(waited, abs=2)]


# What torch and torchvision download themselves: no fault may hang, pass for the file, or be told without its address.
THEIRS = {
    "silence": silent,
    "hang in the middle": lambda handler, content: (
        cut(handler, content),
        handler.wfile.flush(),
        silent(handler, content),
    ),
    "no HTTP": no_http,
    "hung up": hang_up,
    "reset": reset,
    "cut": cut,
    "a chunk that is cut": cut_chunks,
    "a web page": answer(200, {"Content-Type": "text/html"}, b"<html>Log in</html>"),
    "an empty file": answer(200),
    "503": answer(503),
    "404": answer(404),
    "a redirection to a file": answer(302, {"Location": "file:///etc/hostname"}),
}


@pytest.mark.parametrize("fault", THEIRS)
def test_weights_of_torchvision(mirror, tmp_path, monkeypatch, fault):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(architectures, "PATIENCE", 0.3)
    memory = io.BytesIO()
    torch.save({"weight": torch.arange(20_000.0)}, memory)
    name = f"network-{hashlib.sha256(memory.getvalue()).hexdigest()[:8]}.pth"
    mirror.files[name] = memory.getvalue()

    class Published(WeightsEnum):
        V1 = Weights(url=mirror.url(name), transforms=None, meta={})

    mirror.faults[name] = [THEIRS[fault]]
    with pytest.raises(NetworkError, match=rf"{mirror.url(name)}.* put the file at {tmp_path}.* by hand"):
        architectures.downloaded(Published.V1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert architectures.downloaded(Published.V1)["weight"].equal(torch.arange(20_000.0)), "and then it comes"


@pytest.mark.parametrize("fault", THEIRS)
def test_sets_of_torchvision(mirror, tmp_path, monkeypatch, fault):
    monkeypatch.setattr(downloads, "PATIENCE", 0.3)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [mirror.address + "/"])
    first = torchvision.datasets.MNIST.resources[0][0]
    mirror.files[first] = CONTENT
    mirror.faults[first] = [THEIRS[fault]] * 3
    settings = {"source": "torchvision", "dataset": "MNIST", "arguments": {}}
    with pytest.raises(SamplesError, match=r"torchvision's MNIST cannot be (downloaded|opened)"):
        download_samples(tmp_path / "downloads", settings)
    assert not (tmp_path / "downloads").exists()


@pytest.fixture
def hub(mirror, tmp_path, monkeypatch):
    """The mirror in the place of the Hugging Face hub, asked with little patience."""
    constants = pytest.importorskip("huggingface_hub.constants")
    file_download = pytest.importorskip("huggingface_hub.file_download")
    monkeypatch.setattr(constants, "ENDPOINT", mirror.address)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", mirror.address + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"):
        monkeypatch.setattr(constants, name, 0.3)
    # Only its own pauses: those of the mirror are other threads'.
    monkeypatch.setattr(file_download, "time", SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None}))
    return mirror


def from_timm():
    timm_models.fetch_weights(
        NetworkSettings.from_mapping(
            {
                "source": "timm",
                "architecture": "test_vit.r160_in1k",
                "input": {"resize": 64, "crop": 64, "mean": [0.5] * 3, "std": [0.5] * 3},
            }
        )
    )


def from_open_clip():
    open_clip_models.fetch(open_clip_models.OpenClipSettings("ViT-B-32", pretrained="laion2b_e16"))


# By library: how weights are fetched, what it asks the hub for, the error and what it says to do.
OF_HUB = {
    "timm": (from_timm, "timm/test_vit.r160_in1k/resolve/main/model.safetensors", NetworkError, "set file: to them"),
    "open_clip": (
        from_open_clip,
        "timm/vit_base_patch32_clip_224.laion2b_e16/resolve/main/open_clip_model.safetensors",
        ClipError,
        "the weights of ViT-B-32 .* cannot be had",
    ),
}


@pytest.mark.parametrize("library", OF_HUB)
@pytest.mark.parametrize("fault", THEIRS)
def test_weights_of_the_hub(hub, library, fault):
    """Errors of the library that the hub's client asks through, and of what reads weights, used to come as they are."""
    pytest.importorskip(library)
    fetch, path, error, said = OF_HUB[library]
    hub.files[path] = CONTENT  # no weights either: what comes whole must not pass for them
    hub.faults[path] = [THEIRS[fault]] * 20
    with pytest.raises(error, match=said):
        fetch()


@pytest.mark.parametrize("library", OF_HUB)
def test_what_the_hub_keeps_though_it_is_no_weights_is_said(hub, library, tmp_path):
    pytest.importorskip(library)
    fetch, path, error, said = OF_HUB[library]
    hub.files[path] = CONTENT
    with pytest.raises(error, match=f"{said}.*kept in {tmp_path}/hub, delete its folder there before another attempt"):
        fetch()


@pytest.fixture
def untrusted(mirror, tmp_path_factory):
    """The mirror as an https address whose certificate nobody vouches for."""
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1"]
    try:
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl to make a certificate with")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    mirror.server.socket = context.wrap_socket(mirror.server.socket, server_side=True)
    return mirror.address.replace("http:", "https:")


def test_a_certificate_that_nobody_vouches_for(downloader, untrusted, mirror):
    fetch, _, target, _ = downloader
    with pytest.raises(DownloadError, match="the server cannot be trusted"):
        fetch(untrusted)
    assert not mirror.requests
    assert left(target.parent.parent) == []


def test_a_server_without_tls_at_an_https_address(downloader, mirror):
    fetch, _, target, _ = downloader
    with pytest.raises(DownloadError, match=r"no connection \(.*gave up after 3 failures"):
        fetch(mirror.address.replace("http:", "https:"))
    assert left(target.parent.parent) == []


def test_a_name_that_nobody_knows(downloader, mirror):
    fetch, _, target, _ = downloader
    with pytest.raises(DownloadError, match=r"no connection \(.*gave up after 3 failures.*try another mirror"):
        fetch("http://mirror.invalid")
    assert left(target.parent.parent) == []


def test_a_port_that_nobody_listens_at(downloader):
    fetch, _, target, _ = downloader
    with pytest.raises(DownloadError, match=r"no connection \(.*refused.*try another mirror"):
        fetch("http://127.0.0.1:9")
    assert left(target.parent.parent) == []
