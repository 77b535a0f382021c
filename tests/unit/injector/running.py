"""A whole injector in this process over real TLS, asked as an API server asks."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import ssl
from contextlib import asynccontextmanager

import aiohttp
import jsonpatch
import trustme

from driftgauge.injector import Settings
from driftgauge.injector.service import Service

HOST = "driftgauge-injector.monitoring.svc"


def pod(**annotations):
    """A pod as the API server has it when a ReplicaSet made it: defaults filled in, its account's token mounted."""
    given = {f"driftgauge.io/{name.replace('_', '-')}": value for name, value in annotations.items()}
    token = {
        "name": "kube-api-access-7x2lq",
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
                {
                    "downwardAPI": {
                        "items": [
                            {
                                "path": "namespace",
                                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                            }
                        ]
                    }
                },
            ],
            "defaultMode": 420,
        },
    }
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": "churn-6c9f7d5b8-",
            "creationTimestamp": None,
            "labels": {"app": "churn", "pod-template-hash": "6c9f7d5b8"},
            "annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-31T00:00:00Z", **given},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "churn-6c9f7d5b8",
                    "uid": "7d8b1b2c-8f5e-4b0e-9c53-2b1f7b8f4e0a",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                {
                    "manager": "kube-controller-manager",
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": "2026-01-31T00:00:00Z",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}},
                }
            ],
        },
        "spec": {
            "volumes": [{"name": "weights", "emptyDir": {}}, token],
            "containers": [
                {
                    "name": "model",
                    "image": "example.com/churn:3",
                    "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                    "resources": {},
                    "volumeMounts": [
                        {"name": "weights", "mountPath": "/weights"},
                        {
                            "name": "kube-api-access-7x2lq",
                            "readOnly": True,
                            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                        },
                    ],
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "serviceAccount": "default",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "tolerations": [
                {
                    "key": "node.kubernetes.io/not-ready",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
            ],
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {},
    }


def review(given, **changed):
    """The question as an API server of version 1.29 asks it."""
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": "models",
            "operation": "CREATE",
            "userInfo": {
                "username": "system:serviceaccount:kube-system:replicaset-controller",
                "uid": "2a3f1c57-0c5e-4c86-b0e5-1b0d0e3b8d1e",
                "groups": ["system:serviceaccounts", "system:authenticated"],
            },
            "object": given,
            "oldObject": None,
            "dryRun": False,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            **changed,
        },
    }


def patched_by(response, given):
    """*given* as the response's patch makes it; an independent library applies it."""
    assert response["patchType"] == "JSONPatch"
    operations = json.loads(base64.b64decode(response["patch"], validate=True))
    return jsonpatch.JsonPatch(operations).apply(copy.deepcopy(given))


class Injector:
    """One that runs, and a client that trusts its authority alone."""

    def __init__(self, service, session, url, seen, files, authority):
        self.service, self.session, self.url, self.seen = service, session, url, seen
        self.files, self.authority = files, authority

    async def post(self, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        # The port is on loopback, the name is the Service's: as the API server does it.
        async with self.session.post(
            f"{self.url}/mutate?timeout=30s", data=content, headers=given, server_hostname=HOST
        ) as answer:
            return answer.status, json.loads(await answer.read())

    async def ask(self, given, **changed):
        """The response to a question that is one."""
        question = review(given, **changed)
        status, answer = await self.post(question)
        assert status == 200, answer
        assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
        assert answer["response"]["uid"] == question["request"]["uid"]
        assert answer["response"]["allowed"] is True
        return answer["response"]

    async def get(self, path):
        async with self.session.get(f"http://{self.seen}{path}") as answer:
            return answer.status, await answer.text()

    async def metric(self, name):
        """The value of a series, with its labels as they are written."""
        _, text = await self.get("/metrics")
        for line in text.splitlines():
            if line.startswith(f"driftgauge_injector_{name} "):
                return float(line.rpartition(" ")[2])
        return None


def write(files, authority, **validity):
    """A new certificate of *authority* in *files*, certificate and key."""
    made = authority.issue_cert(HOST, **validity)
    files[0].write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    files[1].write_bytes(made.private_key_pem.bytes())
    return made


def trusting(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def an_injector(folder, *, certificate=True, **chosen):
    authority = trustme.CA()
    files = (folder / "tls.crt", folder / "tls.key")
    if certificate:
        write(files, authority)
    clock, keep = chosen.pop("clock", None), chosen.pop("keep", True)
    settings = Settings(
        *files,
        **{
            "listen": "127.0.0.1:0",
            "metrics_listen": "127.0.0.1:0",
            "look_seconds": 0.05,
            "linger_seconds": 0.2,
            **chosen,
        },
    )
    service = Service(settings) if clock is None else Service(settings, clock=clock)
    async with asyncio.timeout(240):
        asked, seen = await service.start()
        connector = aiohttp.TCPConnector(ssl=trusting(authority), force_close=not keep)
        async with aiohttp.ClientSession(connector=connector) as session:
            try:
                yield Injector(service, session, f"https://{asked}", seen, files, authority)
            finally:
                await service.stop()
