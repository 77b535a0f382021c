"""The injector over real TLS: asked as an API server asks, its patches applied by another's code."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import replace

import aiohttp
import kubernetes_validate
import pytest
import trustme
import yaml
from click.testing import CliRunner
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.injector.running import an_injector, patched_by, pod, review, write

from driftgauge import __version__
from driftgauge.artefacts.manifests import Sidecar, container, patched
from driftgauge.cli.group import main
from driftgauge.injector import service as service_module
from driftgauge.injector.doors import MAX_BODY
from driftgauge.injector.validity import validity

OURS = ("driftgauge.io/status", "driftgauge.io/version")
VERSIONS = [f"1.{minor}.0" for minor in range(27, 38)]


def run(folder, scenario, **chosen):
    async def whole():
        async with an_injector(folder, **chosen) as injector:
            return await scenario(injector)

    return asyncio.run(whole())


def without_marks(made):
    """A pod without what only the injector adds: its marks, and that a missing ConfigMap holds nothing up."""
    made = copy.deepcopy(made)
    for name in OURS:
        made["metadata"]["annotations"].pop(name)
    for volume in made["spec"]["volumes"]:
        for source in (volume.get("configMap"), volume.get("secret")):
            if source is not None and volume["name"].startswith("driftgauge-"):
                assert source.pop("optional") is True
    return made


# --- what it does to a pod ---------------------------------------------------------------------------


@pytest.mark.parametrize("native", [True, False])
def test_the_pod_is_that_of_the_manifest_command_and_kubernetes_takes_it(tmp_path, native):
    before = pod(inject="true", config="churn", native=str(native).lower())

    async def scenario(injector):
        return await injector.ask(before)

    made = patched_by(run(tmp_path, scenario), before)
    assert made["metadata"]["annotations"]["driftgauge.io/status"] == "injected"
    assert made["metadata"]["annotations"]["driftgauge.io/version"] == __version__
    assert made["metadata"]["labels"]["driftgauge.io/sidecar"] == "true"
    assert (
        container(Sidecar(config_map="churn", native=native))
        in made["spec"]["initContainers" if native else "containers"]
    )

    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(before))
    (tmp_path / "driftgauge.yaml").write_text("models:\n  churn: {task: binary}\n")
    arguments = ["manifest", "--config", str(tmp_path / "driftgauge.yaml"), "--config-map", "churn"]
    arguments += ["--patch", str(tmp_path / "pod.yaml"), "--kubernetes", "1.29" if native else "1.27"]
    by_hand = CliRunner().invoke(main, arguments, catch_exceptions=False).stdout
    [expected] = [each for each in yaml.safe_load_all(by_hand) if each["kind"] == "Pod"]
    assert without_marks(made) == expected

    for version in VERSIONS[2 if native else 0 :]:
        kubernetes_validate.validate({**made, "status": {}}, version, strict=True)


def test_asked_again_about_its_own_pod_it_changes_nothing(tmp_path):
    before = pod(inject="true", config="churn")

    async def scenario(injector):
        once = patched_by(await injector.ask(before), before)
        again = await injector.ask(once)
        assert again.keys() == {"uid", "allowed"}
        by_hand = patched(before, Sidecar(native=False))  # as a chart or the command puts it in
        assert (await injector.ask(by_hand)).keys() == {"uid", "allowed"}
        assert await injector.metric('pods_total{result="injected"}') == 1
        assert await injector.metric('pods_total{result="present"}') == 2

    run(tmp_path, scenario)


def test_every_annotation_chooses_what_it_names(tmp_path):
    before = pod(
        inject="true",
        config="churn.v2",
        image="registry.example.com:5000/ml/driftgauge:1.2",
        native="false",
        claim="state",
        token_secret="token",
        references="churn, fraud",
        cpu="0.1",
        memory="200Mi",
        memory_limit="1Gi",
    )
    chosen = Sidecar(
        config_map="churn.v2",
        image="registry.example.com:5000/ml/driftgauge:1.2",
        native=False,
        volume="state",
        token_secret="token",
        references=("churn", "fraud"),
        cpu="0.1",
        memory="200Mi",
        memory_limit="1Gi",
    )

    async def scenario(injector):
        return await injector.ask(before)

    assert without_marks(patched_by(run(tmp_path, scenario), before)) == patched(before, chosen)


def test_what_the_command_line_chose_holds_where_annotations_say_nothing(tmp_path):
    before = pod(inject="true", volume_size="1Gi")
    default = Sidecar(image="example.com/driftgauge:9", native=False, optional=True)

    async def scenario(injector):
        return await injector.ask(before)

    made = patched_by(run(tmp_path, scenario, sidecar=default), before)
    assert container(replace(default, volume_bytes="1Gi")) in made["spec"]["containers"]
    assert made["spec"]["volumes"][2] == {"name": "driftgauge-data", "emptyDir": {"sizeLimit": "1Gi"}}


def bare():
    found = pod(inject="true")
    for key in ("volumes", "securityContext"):
        del found["spec"][key]
    del found["metadata"]["labels"]
    return found


def nulls():
    found = pod(inject="true")
    found["spec"].update(initContainers=None, volumes=[], securityContext=None)
    found["metadata"]["labels"] = None
    return found


def with_own_group():
    found = pod(inject="true")
    found["spec"]["securityContext"] = {"fsGroup": 1000}
    found["spec"]["initContainers"] = [{"name": "fetch", "image": "fetch:1"}]
    return found


@pytest.mark.parametrize("make", [bare, nulls, with_own_group])
def test_it_fits_pods_of_any_form(tmp_path, make):
    before = make()

    async def scenario(injector):
        return await injector.ask(before)

    made = patched_by(run(tmp_path, scenario), before)
    assert without_marks(made) == patched(before, Sidecar())


@pytest.mark.parametrize(
    "before", [pod(inject="false", config="churn"), pod(), pod(config="churn"), pod(config_checksum="1")]
)
def test_a_pod_that_does_not_ask_is_left(tmp_path, before):
    async def scenario(injector):
        assert (await injector.ask(before)).keys() == {"uid", "allowed"}
        assert await injector.metric('pods_total{result="unasked"}') == 1

    run(tmp_path, scenario)


def test_a_pod_without_annotations_or_metadata_is_left(tmp_path):
    async def scenario(injector):
        for metadata in ({}, {"annotations": None}, None):
            assert (await injector.ask({**pod(), "metadata": metadata})).keys() == {"uid", "allowed"}

    run(tmp_path, scenario)


def changed(spec=None, metadata=None, **annotations):
    found = pod(inject="true", **annotations)
    found["spec"].update(spec or {})
    found["metadata"].update(metadata or {})
    return found


JOB = {"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "1"}]}
BUSY = [{"name": "model", "image": "m:1", "ports": [{"containerPort": 9878}]}]
REFUSED = [
    (pod(inject="yes"), "bad_value", "driftgauge.io/inject: expected true or false, got 'yes'"),
    (pod(inject="True"), "bad_value", "driftgauge.io/inject: expected true or false, got 'True'"),
    (changed(confg="churn"), "unknown_annotation", "'driftgauge.io/confg': expected one of driftgauge.io/ inject"),
    (changed(config="Churn Config"), "bad_value", "driftgauge.io/config: expected the name"),
    (changed(config=""), "bad_value", "driftgauge.io/config: expected the name"),
    (changed(config="é\r\nX: 1"), "bad_value", r"got '\xe9\r\nX: 1'"),
    (changed(claim="-"), "bad_value", "driftgauge.io/claim: expected the name"),
    (changed(token_secret="a" * 254), "bad_value", "driftgauge.io/token-secret: expected the name"),
    (changed(image="driftgauge"), "bad_value", "driftgauge.io/image: expected an image with a tag or digest"),
    (changed(image="drift gauge:1"), "bad_value", "driftgauge.io/image: expected an image"),
    (changed(native="yes"), "bad_value", "driftgauge.io/native: expected true or false, got 'yes'"),
    (changed(references="a,data"), "bad_value", "driftgauge.io/references: expected names"),
    (changed(references="a,a"), "bad_value", "driftgauge.io/references: expected names"),
    (changed(references="a.b"), "bad_value", "driftgauge.io/references: expected names"),
    (changed(cpu="much"), "bad_value", "driftgauge.io/cpu: expected CPU such as 100m or 0.5"),
    (changed(memory_limit="1GB"), "bad_value", "driftgauge.io/memory-limit: expected a quantity"),
    (changed(memory_limit="64Mi"), "bad_value", "driftgauge.io/memory-limit: expected at least 96Mi"),
    (changed(memory="1Gi"), "bad_value", "driftgauge.io/memory-limit: expected at least the 1Gi asked for"),
    (changed(volume_size="1Gi", claim="state"), "bad_value", "driftgauge.io/volume-size: expected none"),
    (changed(status="injected"), "status_without_sidecar", "driftgauge.io/status: expected none"),
    (changed({"hostNetwork": True}), "host_network", "spec.hostNetwork: expected false"),
    (changed({"containers": BUSY}), "port_taken", "port 9878: expected it free"),
    (changed({"volumes": [{"name": "driftgauge-x"}]}), "name_taken", "begins with driftgauge-"),
    (changed({"nodeSelector": {"kubernetes.io/os": "windows"}}), "windows", "for Windows nodes"),
    (changed({"os": {"name": "windows"}}), "windows", "for Windows nodes"),
    (changed(metadata=JOB, native="false"), "would_not_end", "expected a native sidecar"),
    (changed({"restartPolicy": "Never"}, native="false"), "would_not_end", "expected a native sidecar"),
    (changed({"containers": "model"}), "malformed_pod", "containers: expected a list of mappings"),
    (changed(metadata={"annotations": {"driftgauge.io/inject": 1}}), "malformed_pod", "expected texts by name"),
    (changed(metadata={"labels": 3}), "malformed_pod", "metadata.labels"),
    ({"kind": "Pod"}, "malformed_pod", "expected a Pod with a specification"),
    (3, "malformed_pod", "expected a Pod with a specification"),
]  # fmt: skip


def left_but_for_its_status(before, found, reason, words):
    """Whether a refused pod is as it was, and says why where it can be read."""
    if reason in {"malformed_pod", "status_without_sidecar"}:
        return "patch" not in found
    made = patched_by(found, before)
    status = made["metadata"]["annotations"].pop("driftgauge.io/status")
    return made == before and status.startswith("refused: ") and words in status and len(status) <= 256


def test_what_can_not_be_given_as_a_whole_is_not_given_at_all_and_said(tmp_path):
    async def scenario(injector):
        counts = {}
        for before, reason, words in REFUSED:
            found = await injector.ask(before)
            assert found.keys() - {"patch", "patchType"} == {"uid", "allowed", "warnings"}, (before, found)
            [warning] = found["warnings"]
            assert left_but_for_its_status(before, found, reason, words)
            assert warning.startswith("driftgauge: no sidecar: ")
            assert words in warning
            assert len(warning) <= 256
            assert warning.isascii()
            assert warning.isprintable()
            counts[reason] = counts.get(reason, 0) + 1
            assert await injector.metric(f'refusals_total{{reason="{reason}"}}') == counts[reason], reason
        assert await injector.metric('pods_total{result="refused"}') == len(REFUSED)

    run(tmp_path, scenario)


def test_a_refused_pod_that_is_asked_about_again_says_the_same_and_is_mended_by_its_annotation(tmp_path):
    async def scenario(injector):
        before = changed(confg="churn")
        once = patched_by(await injector.ask(before), before)
        assert "patch" not in await injector.ask(once)
        del once["metadata"]["annotations"]["driftgauge.io/confg"]
        assert patched_by(await injector.ask(once), once)["metadata"]["annotations"][
            "driftgauge.io/status"
        ] == ("injected")

    run(tmp_path, scenario)


def test_the_native_sidecar_ends_with_a_job(tmp_path):
    async def scenario(injector):
        for before in (changed(metadata=JOB), changed({"restartPolicy": "OnFailure"})):
            made = patched_by(await injector.ask(before), before)
            assert made["spec"]["initContainers"][0]["restartPolicy"] == "Always"

    run(tmp_path, scenario)


def test_only_a_pod_that_is_being_made_is_changed(tmp_path):
    other = {"kind": {"group": "apps", "version": "v1", "kind": "Deployment"}}

    async def scenario(injector):
        for question in ({"operation": "UPDATE"}, other, {"subResource": "ephemeralcontainers"}):
            found = await injector.ask(pod(inject="true"), **question)
            assert "patch" not in found
            assert "expected a new Pod" in found["warnings"][0]

    run(tmp_path, scenario)


def test_a_dry_run_is_answered_alike_and_counts_for_nothing(tmp_path):
    async def scenario(injector):
        real = await injector.ask(pod(inject="true"))
        before = await injector.metric('pods_total{result="injected"}')
        assert await injector.ask(pod(inject="true"), dryRun=True) == real
        assert await injector.metric('pods_total{result="injected"}') == before

    run(tmp_path, scenario)


def test_a_bug_of_ours_lets_the_pod_start(tmp_path, monkeypatch, caplog):
    def broken(*_):
        raise KeyError("secret")

    monkeypatch.setattr("driftgauge.injector.doors.judge", broken)

    async def scenario(injector):
        found = await injector.ask(pod(inject="true"))
        assert found.keys() == {"uid", "allowed", "warnings"}
        assert "failed inside the injector (KeyError)" in found["warnings"][0]
        assert await injector.metric('pods_total{result="failed"}') == 1

    run(tmp_path, scenario)
    assert "could not be judged: KeyError" in caplog.text
    assert "secret" not in caplog.text


# --- what is no question -----------------------------------------------------------------------------

DEEP = b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":' + b"[" * 100_000
WRONG = [
    (b"", 400, "malformed"),
    (b"{", 400, "malformed"),
    (b"\xff\xfe", 400, "malformed"),
    (b"null", 400, "malformed"),
    (b"[]", 400, "malformed"),
    (DEEP, 400, "malformed"),
    (b'{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview"}', 400, "out_of_domain"),
    (b'{"apiVersion":"admission.k8s.io/v1","kind":"ConversionReview"}', 400, "out_of_domain"),
    (b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 400, "missing_field"),
    (json.dumps(review(pod(), uid="")).encode(), 400, "out_of_domain"),
    (json.dumps(review(pod(), uid=None)).encode(), 400, "malformed"),
    (json.dumps(review(pod(), kind="Pod")).encode(), 400, "malformed"),
    (b" " * (MAX_BODY + 1), 413, "too_large"),
]


def test_what_is_no_question_is_refused_in_words_and_counted(tmp_path):
    async def scenario(injector):
        for body, status, reason in WRONG:
            before = await injector.metric(f'requests_rejected_total{{reason="{reason}"}}')
            found, answer = await injector.post(body)
            assert (found, answer["reason"]) == (status, reason), (body[:80], answer)
            after = await injector.metric(f'requests_rejected_total{{reason="{reason}"}}')
            assert after == before + 1
        found, answer = await injector.post(review(pod()), Content_Type="text/plain")
        assert (found, answer["reason"]) == (415, "unsupported_media_type")
        found, answer = await injector.post(review(pod()), Content_Encoding="br")
        assert (found, answer["reason"]) == (415, "unsupported_encoding")
        assert (await injector.ask(pod(inject="true")))["patch"]

    run(tmp_path, scenario)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "metadata",
        "spec",
        "annotations",
        "labels",
        "containers",
        "volumes",
        "os",
        "restartPolicy",
        "securityContext",
    ]
)
SPOILT = st.builds(lambda where, value: (where, value), st.lists(KEYS, min_size=1, max_size=3), JSON)


def spoilt(where, value):
    found = pod(inject="true")
    place = found["spec"] if where[0] in found["spec"] else found
    for key in where[:-1]:
        place = place.get(key) if isinstance(place.get(key), dict) else place.setdefault(f"{key}2", {})
    place[where[-1]] = value
    return found


def test_junk_never_keeps_a_pod_from_starting(tmp_path):
    """Whatever is sent: an allowed review or a 4xx, never `allowed: false`, never a 5xx."""

    async def check(injector, body):
        status, answer = await injector.post(body)
        assert 400 <= status < 500 or (status == 200 and answer["response"]["allowed"] is True), answer

    async def scenario(injector):
        loop = asyncio.get_running_loop()

        def examples():
            @settings(
                max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
            )
            @given(
                st.one_of(
                    st.binary(max_size=200),
                    JSON.map(lambda value: json.dumps(value).encode()),
                    JSON.map(lambda value: json.dumps(review(value)).encode()),
                    SPOILT.map(lambda each: json.dumps(review(spoilt(*each))).encode()),
                    st.dictionaries(
                        st.sampled_from(["uid", "kind", "operation", "dryRun", "namespace"]), JSON
                    ).map(lambda each: json.dumps(review(pod(inject="true"), **each)).encode()),
                )
            )
            def one(body):
                asyncio.run_coroutine_threadsafe(check(injector, body), loop).result(30)

            one()

        await asyncio.to_thread(examples)
        assert await injector.metric('requests_rejected_total{reason="internal"}') == 0
        assert await injector.metric('pods_total{result="failed"}') == 0

    run(tmp_path, scenario)


# --- the certificate ---------------------------------------------------------------------------------


async def until(condition):
    for _ in range(1500):
        found = await condition()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come about")


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path):
    async def scenario(injector):
        first = await injector.metric("certificate_expiry_timestamp_seconds")
        assert (await injector.ask(pod(inject="true")))["patch"]
        # A key that isn't the certificate's: the old pair stays in use, and it is counted.
        old = injector.files[1].read_bytes()
        injector.files[1].write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
        await until(lambda: injector.metric("certificate_errors_total"))
        assert (await injector.ask(pod(inject="true")))["patch"]
        assert (await injector.get("/readyz"))[0] == 200
        injector.files[1].write_bytes(old)

        write(injector.files, injector.authority, not_after=later())
        made = x509.load_pem_x509_certificate(injector.files[0].read_bytes())
        expiry = made.not_valid_after_utc.timestamp()

        async def renewed():
            return await injector.metric("certificate_expiry_timestamp_seconds") == expiry

        assert first != expiry
        await until(renewed)
        assert await shown(injector) == made.serial_number
        # Another authority's: who trusts the old one only is not let in.
        write(injector.files, trustme.CA(), not_after=later(2))

        async def replaced():
            try:
                await injector.ask(pod(inject="true"))
            except aiohttp.ClientConnectorCertificateError:
                return True
            return False

        await until(replaced)

    run(tmp_path, scenario, keep=False)


def later(years=1):
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=400 * years)


async def shown(injector):
    """The serial number of the certificate in a new connection."""
    host, port = injector.url.removeprefix("https://").split(":")
    from tests.unit.injector.running import HOST, trusting

    _, writer = await asyncio.open_connection(
        host, int(port), ssl=trusting(injector.authority), server_hostname=HOST
    )
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(der).serial_number


def test_without_a_certificate_it_waits_and_says_so(tmp_path):
    async def scenario(injector):
        status, body = await injector.get("/readyz")
        assert status == 503
        assert "no certificate" in body
        assert "no such file" in body
        assert (await injector.get("/healthz"))[0] == 200
        assert await injector.metric("certificate_expiry_timestamp_seconds") is None
        with pytest.raises(aiohttp.ClientError):
            await injector.ask(pod(inject="true"))
        injector.files[0].write_text("no certificate")
        injector.files[1].write_text("no key")
        await asyncio.sleep(0.1)
        assert (await injector.get("/readyz"))[0] == 503
        write(injector.files, injector.authority)

        async def ready():
            return (await injector.get("/readyz"))[0] == 200

        await until(ready)
        assert (await injector.ask(pod(inject="true")))["patch"]

    run(tmp_path, scenario, certificate=False)


def test_an_expired_certificate_makes_it_unready(tmp_path):
    now = [0.0]

    async def scenario(injector):
        expiry = injector.service.certificate.validity.not_after
        for time, words in ((expiry - 1, None), (expiry, "expired"), (0.0, "not valid yet")):
            now[0] = time
            status, body = await injector.get("/readyz")
            assert status == (200 if words is None else 503), body
            assert (words or "ready") in body

    run(tmp_path, scenario, clock=lambda: now[0])


def test_the_validity_is_that_which_cryptography_reads():
    from datetime import UTC, datetime

    for end in (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2071, 2, 3, 4, 5, 6, tzinfo=UTC)):
        pem = trustme.CA().issue_cert("a", not_after=end).cert_chain_pems[0].bytes().decode()
        found = validity(pem)
        made = x509.load_pem_x509_certificate(pem.encode())
        assert found.not_before == made.not_valid_before_utc.timestamp()
        assert found.not_after == made.not_valid_after_utc.timestamp() == end.timestamp()
    for broken in ("", "text", pem.replace("MII", "AAA", 1), pem[:120] + pem[-60:]):
        with pytest.raises(ValueError, match=r"expected|ncorrect|nvalid"):
            validity(broken)


# --- its life ----------------------------------------------------------------------------------------


def test_it_answers_on_while_the_cluster_forgets_its_address(tmp_path):
    async def scenario(injector):
        ended = asyncio.Event()
        lingering = asyncio.create_task(injector.service.linger(ended))
        await asyncio.sleep(0)
        assert (await injector.get("/readyz"))[0] == 503
        assert (await injector.ask(pod(inject="true")))["patch"]
        ended.set()  # a second signal
        await asyncio.wait_for(lingering, 20)

    run(tmp_path, scenario, linger_seconds=30.0)


def test_a_taken_address_is_told(tmp_path):
    async def scenario(injector):
        taken = injector.seen
        other = service_module.Service(
            replace(injector.service._settings, metrics_listen=taken, listen="127.0.0.1:0")
        )
        with pytest.raises(service_module.DriftgaugeError, match=f"--metrics-listen {taken}: .*in use"):
            await other.start()

    run(tmp_path, scenario)
