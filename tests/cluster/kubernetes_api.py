"""A Kubernetes of this machine, as far as Snakemake's executor sees: an API that records, and pods that are processes.

Real are the executor, its HTTP, the objects (checked against the API's own schemas), the command of every pod and the
environment that its secrets give it. Not real: the scheduler, the image (a pod has this machine's Python), the limits,
volumes (a claim is a folder that is there at the same path), and `pip`, by which the executor has every pod fetch the
storage plugin: it only notes what it was asked for.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import kubernetes_validate
import yaml

VERSION = "1.32"  # of the API whose schemas objects must fit
QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123, as the API server asks of a job's name
# What a node gives its pods: by the last two a machine says which kernels multiply, and so how sums are rounded.
INHERITED = ("HOME", "LANG", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
PIP = """#!/bin/sh
echo "$@" >> {asked}
"""
KUBECTL = """#!{python}
import os, sys, urllib.request, yaml
config = yaml.safe_load(open(os.environ["KUBECONFIG"]))
*_, raw, path = sys.argv
assert raw == "--raw", sys.argv
print(urllib.request.urlopen(config["clusters"][0]["cluster"]["server"] + path).read().decode())
"""
# As nodes write their amounts.
NODES = [
    {"cpu": "7910m", "memory": "16393544Ki", "ephemeral-storage": "93478772582"},
    {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "64Gi"},
]


def mistakes(job: dict) -> list[str]:
    """What an API server would refuse in a Job, and what no scheduler would place: sentences."""
    found = []
    try:
        kubernetes_validate.validate(job, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        found.append(str(error))
    if not NAME.fullmatch(job["metadata"]["name"]):
        found.append(f"{job['metadata']['name']!r} is no name of a job")
    within = job["spec"]["template"]["spec"]
    (container,) = within["containers"]
    asked = container["resources"]
    requests, limits = asked.get("requests", {}), asked.get("limits", {})
    for name, amount in (*requests.items(), *limits.items()):
        if not QUANTITY.fullmatch(str(amount)):
            found.append(f"{name}: {amount!r} is no quantity")
    found += [
        f"{name}: requests and limits must be equal, are {requests.get(name)} and {limits.get(name)}"
        for name in sorted({*requests, *limits})
        if "/" in name and requests.get(name) != limits.get(name)  # extended resources
    ]
    volumes = {each["name"] for each in within.get("volumes", [])}
    mounted = [mount["name"] for mount in container.get("volumeMounts", [])]
    found += [f"the mounted volume {name} is none of the pod's" for name in mounted if name not in volumes]
    if within["restartPolicy"] not in ("Never", "OnFailure"):
        found.append(f"restartPolicy of a job's pod is {within['restartPolicy']}")
    return found


def path_of_pods(home: Path) -> str:
    """Where pods find programs: a `pip` that only notes, this Python, and what the machine has."""
    tools = home / "bin"
    tools.mkdir(parents=True)
    (tools / "pip").write_text(PIP.format(asked=home / "pip"))
    (tools / "pip").chmod(0o755 | stat.S_IXUSR)
    return os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])


def asked_of_pip(home: Path) -> list[str]:
    """What every pod asked pip for."""
    asked = home / "pip"
    return asked.read_text().splitlines() if asked.exists() else []


@dataclass
class Pod:
    """A job's only pod, and the process that it is."""

    job: dict
    folder: Path
    secrets: dict[str, str]
    process: subprocess.Popen | None = None

    @property
    def container(self) -> dict:
        return self.job["spec"]["template"]["spec"]["containers"][0]

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self, path: str) -> None:
        self.folder.mkdir()  # the empty volume that is its working directory
        variables = {each["name"]: self.secrets[each["valueFrom"]["secretKeyRef"]["key"]] for each in self.env}
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*self.container["command"], *self.container["args"]],
                cwd=self.folder,
                env={**inherited, "PATH": path, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def env(self) -> list[dict]:
        return self.container.get("env") or []

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def described(self) -> dict:
        done = self.code is not None
        state = {"terminated": {"exitCode": self.code, "reason": "Error" if self.code else "Completed"}}
        status = {
            "name": self.container["name"],
            "state": state if done else {"running": {}},
            "ready": not done,
            "restartCount": 0,
            "image": self.container["image"],
            "imageID": "none",
        }
        phase = ("Failed" if self.code else "Succeeded") if done else "Running"
        name = self.job["metadata"]["name"]
        return {
            "metadata": {"name": f"{name}-pod", "labels": {"job-name": name}},
            "spec": self.job["spec"]["template"]["spec"],
            "status": {"phase": phase, "containerStatuses": [status]},
        }


@dataclass
class Cluster:
    """jobs: every Job that was asked for; wrong: what is wrong with them; installed: what pods asked pip for."""

    home: Path
    jobs: list[dict] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    pods: dict[str, Pod] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Cluster:
        cluster = self
        self.path = path_of_pods(self.home)
        kubectl = self.home / "client" / "kubectl"
        kubectl.parent.mkdir()
        kubectl.write_text(KUBECTL.format(python=sys.executable))
        kubectl.chmod(0o755 | stat.S_IXUSR)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else {}
                asked = urlsplit(self.path)
                status, answer = cluster.answer(self.command, asked.path, parse_qs(asked.query), body)
                content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = do_any  # noqa: N815

            def log_message(self, *_) -> None:
                """Says nothing."""

        self.listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.listening.daemon_threads = True
        threading.Thread(target=self.listening.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.listening.shutdown()
        self.listening.server_close()
        for pod in self.pods.values():
            pod.end()

    @property
    def environment(self) -> dict[str, str]:
        """What tells the executor and kubectl where this cluster is."""
        cluster = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{self.listening.server_port}"}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [cluster],
            "users": [{"name": "me", "user": {"token": "none"}}],
            "contexts": [{"name": "it", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "it",
        }
        path = self.home / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return {"KUBECONFIG": str(path), "PATH": f"{self.home / 'client'}{os.pathsep}{os.environ['PATH']}"}

    @property
    def installed(self) -> list[str]:
        return asked_of_pip(self.home)

    def claim(self, name: str, folder: Path) -> None:
        """Nothing is to be done for it: a claim is a folder that is there."""

    def answer(self, verb: str, path: str, query: dict, body: dict) -> tuple[int, dict | str]:
        """Status and content of what the API says; an unknown request is a mistake of this emulation."""
        if path == "/api/v1/nodes":
            return 200, {"kind": "NodeList", "items": [{"status": {"allocatable": each}} for each in NODES]}
        kind, *rest = re.fullmatch(r"/(?:api/v1|apis/batch/v1)/namespaces/default/(\w+)(?:/(.+))?", path).groups()
        name = (rest[0] or "").split("/")[0]
        match verb, kind:
            case "POST", "secrets":
                values = {key: base64.b64decode(value).decode() for key, value in (body.get("data") or {}).items()}
                self.secrets[body["metadata"]["name"]] = values
                return 201, body
            case "DELETE", "secrets":
                return 200, {"kind": "Status", "status": "Success" if self.secrets.pop(name, None) is not None else "?"}
            case "POST", "jobs":
                return self._begin({"apiVersion": "batch/v1", "kind": "Job", **body})
            case "GET", "jobs":
                return self._status(name)
            case "DELETE", "jobs":
                return 200, {"kind": "Status", "status": "Success"}
            case "GET", "pods" if rest[0] and query.get("previous") in (["true"], ["True"]):
                return 400, {"kind": "Status", "status": "Failure", "message": "no earlier container"}
            case "GET", "pods" if rest[0]:
                return 200, self.pods[name.removesuffix("-pod")].log.read_text()
            case "GET", "pods":
                job = query["labelSelector"][0].removeprefix("job-name=")
                found = [self.pods[job].described()] if job in self.pods else []
                return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": found}
            case "DELETE", "pods":
                if pod := self.pods.pop(name.removesuffix("-pod"), None):
                    pod.end()
                return 200, {"kind": "Status", "status": "Success"}
        self.wrong.append(f"{verb} {path} is not emulated")
        return 404, {"kind": "Status", "status": "Failure"}

    def _begin(self, job: dict) -> tuple[int, dict]:
        self.jobs.append(job)
        found = mistakes(job)
        self.wrong += found
        if found:  # as an API server does
            return 422, {"kind": "Status", "status": "Failure", "message": "; ".join(found)}
        name = job["metadata"]["name"]
        secrets = {key: value for each in self.secrets.values() for key, value in each.items()}
        pod = Pod(job, self.home / name, secrets)
        pod.start(self.path)
        self.pods[name] = pod
        return 201, job

    def _status(self, name: str) -> tuple[int, dict]:
        pod = self.pods.get(name)
        if pod is None:
            return 404, {"kind": "Status", "status": "Failure"}
        counts = {None: {"active": 1}, 0: {"succeeded": 1}}.get(pod.code, {"failed": 1})
        return 200, {**pod.job, "status": counts}
