"""The certificate's files, as kubelet and cert-manager change them."""

from __future__ import annotations

import time

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tests.unit.injector.running import write

from driftgauge.injector.certificate import Certificate


def mounted(folder, name, authority):
    """A Secret's mount: files that lead through ..data to the folder of one version, swapped at once."""
    version = folder / name
    version.mkdir()
    write((version / "tls.crt", version / "tls.key"), authority)
    (folder / "..new").symlink_to(name)
    (folder / "..new").replace(folder / "..data")
    for file in ("tls.crt", "tls.key"):
        if not (folder / file).is_symlink():
            (folder / file).symlink_to(f"..data/{file}")
    return x509.load_pem_x509_certificate((version / "tls.crt").read_bytes()).not_valid_after_utc.timestamp()


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path / "tls.crt", tmp_path / "tls.key", time.time)


def test_a_swapped_folder_is_noticed_and_the_same_one_not(tmp_path, certificate):
    authority = trustme.CA()
    assert certificate.refresh() is False
    assert certificate.fault().startswith("no certificate: ")
    for name in ("..2026_01", "..2026_02"):
        expiry = mounted(tmp_path, name, authority)
        assert certificate.refresh() is True
        assert certificate.refresh() is None
        assert certificate.validity.not_after == expiry
        assert certificate.fault() is None


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path, certificate, capfd):
    made = write((tmp_path / "tls.crt", tmp_path / "tls.key"), trustme.CA())
    key = serialization.load_pem_private_key(made.private_key_pem.bytes(), None)
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert certificate.refresh() is False
    assert "expected a certificate and its key in PEM form" in certificate.fault()
    assert capfd.readouterr().err == ""


def test_a_pair_that_can_not_be_used_leaves_the_one_before(tmp_path, certificate):
    expiry = mounted(tmp_path, "..2026_01", trustme.CA())
    assert certificate.refresh() is True
    (tmp_path / "..2026_01" / "tls.crt").write_bytes(b"\xff" * 10)
    assert certificate.refresh() is False
    assert certificate.refresh() is False
    assert (certificate.validity.not_after, certificate.fault()) == (expiry, None)
    (tmp_path / "..2026_01" / "tls.crt").write_bytes(b" " * (1 << 20) + b" ")
    assert certificate.refresh() is False
