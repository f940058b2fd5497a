"""Made-up releases of packages with sources in them, and a project that declares what it stands on in them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from tests.boto_matrix.conftest import File, LocalIndex
from tests.boto_matrix.small_project import REPOSITORY, SmallProject

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


def publish_others(index: LocalIndex) -> None:
    """Put a release of each other package that is watched into the index."""
    publish(index, "moto", "5.0.0", {"__init__.py": "def mock_aws(): pass\n"})
    publish(index, "urllib3", "2.0.0", {"connection.py": "class HTTPConnection:\n    def close(self): pass\n"})


def declare_surface(project: SmallProject) -> None:
    """Have a project stand on a function of each package that is watched and of Python; its guard is the real one."""
    declarations = {
        "aistore_patch/surface.py": """
FUNCTIONS = ('botocore.endpoint:Endpoint.send',)
CONTEXT_KEYS = ()
URLLIB3_FUNCTIONS = ('urllib3.connection:HTTPConnection.close',)
PYTHON_FUNCTIONS = ('http.client:HTTPConnection.close',)
""",
        "tests/unit/botocore_patch/mock_surface.py": "FUNCTIONS = ('moto:mock_aws',)\n",
    }
    for name, text in declarations.items():
        path = Path(project.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (project.folder / "aistore_patch" / "guard.py").symlink_to(REPOSITORY / "aistore_patch" / "guard.py")


def model_of(parameters: dict[str, dict[str, dict[str, str]]], method: str = "PUT") -> dict[str, Any]:
    """Make a model of S3: the parameters of each operation on objects, and how they are sent."""
    bucket = {"http": {"method": "GET", "requestUri": "/{Bucket}"}, "input": {"shape": "Nothing"}}
    http = {"method": method, "requestUri": "/{Bucket}/{Key+}?x"}
    return {
        "operations": {
            "ListSomething": bucket,
            **{name: {"http": http, "input": {"shape": f"{name}Request"}} for name in parameters},
        },
        "shapes": {f"{name}Request": {"members": members} for name, members in parameters.items()},
    }


def use_index(project: SmallProject, url: str) -> None:
    """Have what is typed in a project ask an index; uv installs from the project's folder of wheels all the same."""
    project.environ.update(UV_OFFLINE="0", UV_DEFAULT_INDEX=url)
