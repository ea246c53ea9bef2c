"""What Snakemake's executor for Kubernetes asks for and does not get, so that a pod that fails is just a failed job."""

from __future__ import annotations

import functools


@functools.cache
def tell_logs_of_failed_pods() -> None:
    """Answer the executor, which asks for the log of a failed pod's earlier try, with that of its only one.

    Its pods are never begun again, so there is no earlier try, and the API refuses what is not there. That, as a log
    that went with its node, would end the whole run: without its other jobs, another attempt, or the cause.
    """
    from kubernetes.client import ApiException, CoreV1Api  # of the extra `cluster`, which few have

    ask = CoreV1Api.read_namespaced_pod_log

    @functools.wraps(ask)
    def read_namespaced_pod_log(self: CoreV1Api, name: str, namespace: str, **options: object) -> str:
        try:
            return ask(self, name, namespace, **{**options, "previous": False})
        except ApiException as error:
            return f"The log of pod {name} cannot be had: {error.status} {error.reason}"

    CoreV1Api.read_namespaced_pod_log = read_namespaced_pod_log
