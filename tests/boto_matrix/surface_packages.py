"""Made-up releases of botocore, boto3 and moto with sources in them, and a project that declares what it stands on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.boto_matrix.conftest import File, LocalIndex
from tests.boto_matrix.small_project import SmallProject

ENDPOINT = '''
class Endpoint:
    def send(self, request):
        """Send it, as release {version} does."""
        return {answer}
'''


def wheel(package: str, version: str, sources: dict[str, str], needs: str = "") -> bytes:
    """A wheel that can be installed."""
    info = f"{package}-{version}.dist-info"
    metadata = [f"Name: {package}", f"Version: {version}"] + ([f"Requires-Dist: {needs}"] if needs else [])
    files = {
        f"{package}/__init__.py": "",
        **{f"{package}/{name}": text for name, text in sources.items()},
        f"{info}/METADATA": "Metadata-Version: 2.1\n" + "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def publish(
    index: LocalIndex,
    package: str,
    version: str,
    sources: dict[str, str],
    *,
    needs: str = "",
    uploaded: str = "2026-01-02T03:04:05Z",
) -> bytes:
    """Put a release into the index; returns its wheel."""
    content = wheel(package, version, sources, needs)
    file = File(content=content, requires_python=">=3.8", uploaded=uploaded)
    index.files.setdefault(package, {})[f"{package}-{version}-py3-none-any.whl"] = file
    return content


def publish_botocore(index: LocalIndex, version: str, answer: str, *, uploaded: str = "2026-01-02T03:04:05Z") -> bytes:
    """Put a botocore into the index whose surface is told apart by what `Endpoint.send` answers."""
    source = ENDPOINT.format(version=version, answer=answer)
    return publish(index, "botocore", version, {"endpoint.py": source}, uploaded=uploaded)


def declare_surface(project: SmallProject) -> None:
    """Have a project stand on `Endpoint.send` in botocore and on `mock_aws` in moto."""
    declarations = {
        "aistore_patch/surface.py": "FUNCTIONS = ('botocore.endpoint:Endpoint.send',)\nCONTEXT_KEYS = ()\n",
        "tests/unit/botocore_patch/mock_surface.py": "FUNCTIONS = ('moto:mock_aws',)\n",
    }
    for name, text in declarations.items():
        path = Path(project.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def use_index(project: SmallProject, url: str) -> None:
    """Have what is typed in a project ask an index; uv installs from the project's folder of wheels all the same."""
    project.environ.update(UV_OFFLINE="0", UV_DEFAULT_INDEX=url)
