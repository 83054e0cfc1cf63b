"""Certificates for tests: an authority, and what it signs, for 127.0.0.1."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


class Authority:
    """Its certificate is `ca.pem` in the folder."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate),
            *("-addext", "basicConstraints=critical,CA:TRUE"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def sign(self, name: str) -> tuple[Path, Path]:
        """A certificate and its key."""
        certificate, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extensions.write_text(
            "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        _openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", key, "-out", request),
        )
        _openssl(
            *("x509", "-req", "-in", request, "-days", "2", "-out", certificate),
            *("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial"),
            *("-extfile", extensions),
        )
        return certificate, key

    def broker_settings(self, name: str) -> dict[str, str]:
        """What a listener with TLS needs, for a certificate of that name."""
        certificate, key = self.sign(name)
        chain = self._folder / f"{name}.chain.pem"
        chain.write_text(key.read_text() + certificate.read_text())
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(chain),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificate),
        }


def _openssl(*arguments: str | Path) -> None:
    command: Sequence[str] = ["openssl", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)
