"""Logs of failed pods, as Snakemake's executor asks for them."""

import pytest
from kubernetes.client import ApiException, CoreV1Api

from configuration import pods


@pytest.fixture
def api(monkeypatch) -> CoreV1Api:
    """An API with the log of one pod, which was begun once."""

    def read(self, name, namespace, container=None, previous=None):
        if previous:
            raise ApiException(400, "Bad Request")
        if name != "here":
            raise ApiException(404, "Not Found")
        return f"{namespace}: said by {container}"

    monkeypatch.setattr(CoreV1Api, "read_namespaced_pod_log", read)
    pods.tell_logs_of_failed_pods.cache_clear()
    yield CoreV1Api()
    pods.tell_logs_of_failed_pods.cache_clear()


def asked(api: CoreV1Api, name: str) -> str:
    return api.read_namespaced_pod_log(name=name, namespace="default", container="snakemake", previous=True)


def test_the_log_of_the_only_try_is_told(api):
    with pytest.raises(ApiException):
        asked(api, "here")
    pods.tell_logs_of_failed_pods()
    pods.tell_logs_of_failed_pods()
    assert asked(api, "here") == "default: said by snakemake"


def test_a_log_that_went_with_its_node_is_no_failure_of_the_run(api):
    pods.tell_logs_of_failed_pods()
    assert asked(api, "gone") == "The log of pod gone cannot be had: 404 Not Found"
