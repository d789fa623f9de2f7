"""The project as an archive, which is how it gets to the workers of a cluster."""

from __future__ import annotations

import zipfile
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "src" / "solosolve"


def project_archive(folder: Path) -> Path:
    """Writes the archive into a folder; it has what a wheel has."""
    archive = folder / "solosolve.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for file in sorted(PACKAGE.rglob("*")):
            if file.suffix in {".py", ".json", ".css", ".js"}:
                written.write(file, f"solosolve/{file.relative_to(PACKAGE)}")
    return archive
