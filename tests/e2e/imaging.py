"""The image as a cluster would have it: built by buildah, its root run read-only under its own user.

Nothing is pulled: the base is made of this system's own Debian packages and tagged like the real one, whose
Python is newer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.processes import Serving

IMAGE = "localhost/driftgauge:test"
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
CERTIFICATES = Path("/etc/ssl/certs")
PACKAGES = "python3,python3-venv,ca-certificates"

# In a mount namespace of its own: the root read-only, /tmp and the volume as Kubernetes mounts them.
RUN = r"""
set -e
root=$1 volume=$2 user=$3; shift 3
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/tmp"
mount --bind "$volume" "$root/data"
mount --rbind /dev "$root/dev"
exec "$(command -v chroot)" --userspec="$user" "$root" "$@"
"""


@dataclass(frozen=True)
class Image:
    """A built image: its configuration, its layers, and its root as a folder."""

    config: dict
    layers: int
    root: Path

    @property
    def command(self):
        return (*self.config["Entrypoint"], *self.config["Cmd"])

    @property
    def environment(self):
        return dict(text.split("=", 1) for text in self.config["Env"])

    def megabytes(self, path="."):
        found = _run(("du", "-sm", "--one-file-system", str(self.root / path)))
        return int(found.split()[0])

    def start(self, volume: Path, log: Path, arguments=None):
        """The image's entry point with its command, or with *arguments*; doors on free ports."""
        command = [free(text) for text in (self.config["Cmd"] if arguments is None else arguments)]
        # Found by the image's PATH, as a container runtime does.
        entry = next(
            f"{folder}/{self.config['Entrypoint'][0]}"
            for folder in self.environment["PATH"].split(":")
            if (self.root / folder.lstrip("/") / self.config["Entrypoint"][0]).exists()
        )
        where = (str(self.root), str(volume), self.config["User"])
        inside = ("/usr/bin/env", "-i", *self.config["Env"], entry, *command)
        with log.open("ab") as file:
            process = subprocess.Popen(
                ("unshare", "--mount", "bash", "-c", RUN, "run", *where, *inside), stdout=file, stderr=file
            )
        return Serving(process, log)


def free(text):
    """An address of a door on a port that is free, on loopback."""
    return re.sub(r"^(?:127\.0\.0\.1|0\.0\.0\.0):\d+$", "127.0.0.1:0", text)


class Builder:
    """buildah with a store of its own in *folder*."""

    def __init__(self, folder: Path, buildah: str, mmdebstrap: str) -> None:
        self._folder, self._mmdebstrap = folder, mmdebstrap
        self._buildah = (buildah, "--root", str(folder / "store"), "--runroot", str(folder / "run"))

    def build(self, repository: Path) -> Image:
        """The image of the repository's Dockerfile."""
        self._base(set(re.findall(r"^FROM (\S+)", (repository / "Dockerfile").read_text(), re.MULTILINE)))
        mounts = ("--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro")
        how = ("--isolation", "chroot", "--network", "host", "--pull-never", "--layers=false", "--quiet")
        self._do("build-using-dockerfile", *how, *mounts, "--tag", IMAGE, str(repository))
        told = json.loads(self._do("inspect", "--type", "image", IMAGE))["OCIv1"]
        root = Path(self._do("mount", self._do("from", "--pull-never", IMAGE)))
        return Image(told["config"], len(told["rootfs"]["diff_ids"]), root)

    def close(self) -> None:
        self._do("umount", "--all")
        self._do("rm", "--all")

    def _base(self, names) -> None:
        archive = self._folder / "base.tar"
        _run(
            (
                self._mmdebstrap,
                "--variant=minbase",
                f"--include={PACKAGES}",
                "bookworm",
                str(archive),
                str(SOURCES),
            )
        )
        made = self._do("from", "scratch")
        self._do("add", "--quiet", made, str(archive), "/")
        archive.unlink()
        # The real base calls it python.
        self._do(
            "run",
            "--isolation",
            "chroot",
            made,
            "--",
            "ln",
            "-s",
            "/usr/bin/python3",
            "/usr/local/bin/python",
        )
        # buildah looks here for a name without a registry, before it would ask any.
        for name in sorted(names):
            self._do("commit", "--quiet", made, f"localhost/{name}")
        self._do("rm", made)

    def _do(self, *words) -> str:
        return _run((*self._buildah, *words), {"STORAGE_DRIVER": "vfs"})


def _run(command, environment=None):
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, f"{' '.join(command[:6])}: {done.stderr[-2000:]}"
    return done.stdout.strip()
