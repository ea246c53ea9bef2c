"""A Kubernetes of this machine whose API, scheduler and controllers are the real ones; only the nodes are not.

etcd, kube-apiserver, kube-scheduler and kube-controller-manager are processes of their own (kubernetes_server.sh). The
nodes are of this process: they have what they say, and what the scheduler places on them runs as in the emulation
(kubernetes_api.py), without image, limits or volumes. They answer for logs as a kubelet does.
"""

from __future__ import annotations

import base64
import os
import ssl
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import kubernetes
import urllib3
import yaml
from tests.cluster import kubernetes_api
from tests.cluster.kubernetes_api import Pod, asked_of_pip, mistakes, path_of_pods
from tests.cluster.object_storage import free_port

PATIENCE = 180  # seconds until the API answers; a busy machine takes its time
TOKEN = "only-of-this-machine"
SPACE = "default"
# What nodes have for pods: those of the emulation. Only the larger has a GPU.
NODES = {
    "larger": {**kubernetes_api.NODES[0], "pods": "10", "nvidia.com/gpu": "1"},
    "smaller": {**kubernetes_api.NODES[1], "pods": "10"},
}


@dataclass
class Servers:
    """The processes. programs: the folder that kubernetes_server.sh has filled."""

    programs: Path
    home: Path
    running: list[subprocess.Popen] = field(default_factory=list)

    def __enter__(self) -> Servers:
        self.home.mkdir(parents=True)
        store, self.port = free_port(), free_port()
        self.config = self.home / "kubeconfig"
        self.config.write_text(yaml.safe_dump(self._config()))
        here, beside = f"http://127.0.0.1:{store}", f"http://127.0.0.1:{free_port()}"
        addresses = ("--listen-client-urls", here, "--advertise-client-urls", here, "--listen-peer-urls", beside)
        self._begin("etcd", "--data-dir", "etcd", *addresses)
        self._begin("kube-apiserver", *self._settings(store))
        self._await_answer()
        alone = ("--kubeconfig", self.config, "--leader-elect=false", "--port=0", "--secure-port=0")
        self._begin("kube-scheduler", *alone)
        controllers = "--controllers=job,persistentvolume-binder,garbagecollector"
        self._begin("kube-controller-manager", controllers, *alone)
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(self.running):  # the store last: the others write to it to their end
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            process.wait()

    def _settings(self, store: int) -> list[str]:
        key = self.home / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self.home / "tokens.csv").write_text(f"{TOKEN},tests,tests,system:masters\n")
        return [
            f"--etcd-servers=http://127.0.0.1:{store}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=192.0.2.1",  # asked for, and nobody's
            "--service-cluster-ip-range=10.0.0.0/24",
            f"--cert-dir={self.home / 'certificates'}",
            f"--token-auth-file={self.home / 'tokens.csv'}",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            # No controller makes accounts, and none tells that a node is ready.
            "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
        ]

    def _begin(self, name: str, *arguments: str | Path) -> None:
        with (self.home / f"{name}.log").open("wb") as log:
            command = [str(self.programs / name), *map(str, arguments)]
            process = subprocess.Popen(command, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running.append(process)

    def _await_answer(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            certificate = self.home / "certificates/apiserver.crt"
            if certificate.exists():
                with suppress(kubernetes.client.ApiException, OSError, urllib3.exceptions.HTTPError):
                    self.client().read_namespace(SPACE)
                    return
            for process in self.running:
                assert process.poll() is None, f"{process.args[0]} has ended, see its log in {self.home}"
            time.sleep(0.5)
        raise TimeoutError(f"the API does not answer after {PATIENCE} s, see the logs in {self.home}")

    def _config(self) -> dict:
        authority = str(self.home / "certificates/apiserver.crt")
        server = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": authority}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": server}],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
            "contexts": [{"name": "it", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "it",
        }

    def client(self) -> kubernetes.client.CoreV1Api:
        return kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(str(self.config)))

    def batch(self) -> kubernetes.client.BatchV1Api:
        return kubernetes.client.BatchV1Api(kubernetes.config.new_client_from_config(str(self.config)))


@dataclass
class Nodes:
    """All nodes of a cluster, and the pods that the scheduler gave them. jobs: whose pods; placed: on which node."""

    servers: Servers
    home: Path
    jobs: list[dict] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    pods: dict[str, Pod] = field(default_factory=dict)

    def __enter__(self) -> Nodes:
        self.path = path_of_pods(self.home)
        self.api = self.servers.client()
        self._answer_for_logs()
        for name, amounts in NODES.items():
            self._register(name, amounts)
        self.ended = threading.Event()
        self.watch = threading.Thread(target=self._watch, daemon=True)
        self.watch.start()
        return self

    def __exit__(self, *_) -> None:
        self.ended.set()
        self.watch.join()
        for pod in self.pods.values():
            pod.end()
        self.listening.shutdown()
        self.listening.server_close()

    def claim(self, name: str, folder: Path) -> None:
        """A volume claim that is this folder, bound by the real controller."""
        access = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        size = {"storage": "100Gi"}
        volume = {"capacity": size, "hostPath": {"path": str(folder)}, **access}
        self.api.create_persistent_volume({"metadata": {"name": name}, "spec": volume})
        asked = {"resources": {"requests": size}, "volumeName": name, **access}
        self.api.create_namespaced_persistent_volume_claim(SPACE, {"metadata": {"name": name}, "spec": asked})

    def _register(self, name: str, amounts: dict[str, str]) -> None:
        self.api.create_node({"metadata": {"name": name}})
        status = {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True", "reason": "Said", "message": ""}],
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.listening.server_port}},
        }
        self.api.patch_node_status(name, {"status": status})

    def _watch(self) -> None:
        while not self.ended.wait(0.3):
            with suppress(kubernetes.client.ApiException):  # a pod that has gone between two requests
                self._look()

    def _look(self) -> None:
        found = {pod.metadata.name: pod for pod in self.api.list_namespaced_pod(SPACE).items}
        for name, pod in found.items():
            if pod.metadata.deletion_timestamp:
                self._take_away(name)
                self.api.delete_namespaced_pod(name, SPACE, grace_period_seconds=0)
            elif pod.spec.node_name and name not in self.pods:
                self._begin(name, pod)
            elif name in self.pods and self.pods[name].code is not None and pod.status.phase == "Running":
                self._tell(name)
        for name in set(self.pods) - set(found):
            self._take_away(name)

    def _begin(self, name: str, pod: kubernetes.client.V1Pod) -> None:
        job = self.servers.batch().read_namespaced_job(pod.metadata.labels["job-name"], SPACE)
        job, asked = map(self.api.api_client.sanitize_for_serialization, (job, pod.spec))
        secrets = {}
        for variable in asked["containers"][0].get("env", []):
            of = variable["valueFrom"]["secretKeyRef"]
            held = self.api.read_namespaced_secret(of["name"], SPACE).data
            secrets[of["key"]] = base64.b64decode(held[of["key"]]).decode()
        self.pods[name] = Pod(job, self.home / name, secrets)
        self.jobs.append(job)
        self.placed.append(pod.spec.node_name)
        self.pods[name].start(self.path)
        self._tell(name)

    def _tell(self, name: str) -> None:
        self.api.patch_namespaced_pod_status(name, SPACE, {"status": self.pods[name].described()["status"]})

    def _take_away(self, name: str) -> None:
        if pod := self.pods.pop(name, None):
            pod.end()

    def _answer_for_logs(self) -> None:
        nodes = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                *_, name, container = asked.path.split("/")
                if parse_qs(asked.query).get("previous") == ["true"]:
                    status, said = 400, f'previous terminated container "{container}" in pod "{name}" not found'
                else:
                    status, said = 200, (nodes.home / f"{name}.log").read_text()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said.encode())))
                self.end_headers()
                self.wfile.write(said.encode())

            def log_message(self, *_) -> None:
                """Says nothing."""

        certificates = self.servers.home / "certificates"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "apiserver.crt", certificates / "apiserver.key")
        self.listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.listening.daemon_threads = True
        self.listening.socket = context.wrap_socket(self.listening.socket, server_side=True)
        threading.Thread(target=self.listening.serve_forever, daemon=True).start()


@dataclass
class RealCluster:
    """What the tests ask of a cluster, as of the emulation's (kubernetes_api.Cluster)."""

    home: Path
    programs: Path

    def __enter__(self) -> RealCluster:
        with ExitStack() as stack:
            self.servers = stack.enter_context(Servers(self.programs, self.home / "servers"))
            self.nodes = stack.enter_context(Nodes(self.servers, self.home / "nodes"))
            self._close = stack.pop_all().close
        return self

    def __exit__(self, *_) -> None:
        self._close()

    @property
    def environment(self) -> dict[str, str]:
        return {"KUBECONFIG": str(self.servers.config), "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"}

    @property
    def jobs(self) -> list[dict]:
        return self.nodes.jobs

    @property
    def wrong(self) -> list[str]:
        return [said for job in self.jobs for said in mistakes(job)]

    @property
    def installed(self) -> list[str]:
        return asked_of_pip(self.nodes.home)

    @property
    def secrets(self) -> dict[str, dict]:
        return {each.metadata.name: each.data for each in self.nodes.api.list_namespaced_secret(SPACE).items}

    def claim(self, name: str, folder: Path) -> None:
        self.nodes.claim(name, folder)
