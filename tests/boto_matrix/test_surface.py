"""`python -m boto_matrix surface`, typed in a project with made-up releases."""

from __future__ import annotations

import json
import platform
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from boto_matrix.releases.index import PackageIndex
from boto_matrix.report.unknown import called_out
from boto_matrix.results.model import FoundModel, FoundSurface
from boto_matrix.running.installed import model_of_cell, surfaces_of_cell
from boto_matrix.surface.declaration import Declaration
from boto_matrix.surface.record import SurfaceRecord, read_record, write_record
from boto_matrix.surface.sources import (
    NotInstalled,
    ReleasedSources,
    UnreadableSources,
    installed_sources,
    library_of,
    site_packages_of,
)
from tests.boto_matrix.conftest import LocalIndex
from tests.boto_matrix.made_results import cell
from tests.boto_matrix.small_project import PY, PYTHON, SmallProject
from tests.boto_matrix.surface_packages import (
    declare_surface,
    model_of,
    publish,
    publish_botocore,
    publish_others,
    use_index,
    wheel,
)

THIS_PYTHON = platform.python_version()


@pytest.fixture
def watched(project: SmallProject, local_index: LocalIndex) -> SmallProject:
    """A project that stands on `Endpoint.send`, which changes in 1.20.3 and 1.21.0."""
    declare_surface(project)
    use_index(project, local_index.url)
    for patch in range(6):
        publish_botocore(local_index, f"1.20.{patch}", "1" if patch < 3 else "2")
    for patch in range(3):
        publish_botocore(local_index, f"1.21.{patch}", "3")
    publish_others(local_index)
    return project


def test_a_sweep_shows_and_records_the_classes(watched: SmallProject) -> None:
    done = watched.boto_matrix("surface", "--sweep")
    assert done.exit_code == 0, done.output
    assert "botocore: 3 classes in 6 examined releases" in done.output
    assert [line.split()[1:4] for line in done.output.splitlines() if " … " in line] == [
        ["1.20.0", "…", "1.20.2"],
        ["1.20.3", "…", "1.20.5"],
        ["1.21.0", "…", "1.21.2"],
        ["5.0.0", "…", "5.0.0"],
        ["2.0.0", "…", "2.0.0"],
        [THIS_PYTHON, "…", THIS_PYTHON],
    ]
    again = watched.boto_matrix("surface")
    assert again.exit_code == 0
    assert "since 1.20.3" in again.output


def test_each_wheel_is_downloaded_once_and_needed_no_more(watched: SmallProject, local_index: LocalIndex) -> None:
    watched.boto_matrix("surface", "--sweep")
    wheels = [path for path in local_index.asked if path.endswith(".whl")]
    assert len(wheels) == len(set(wheels)) == 8
    assert watched.boto_matrix("surface", "1.20.0", UV_OFFLINE="1").exit_code == 0
    assert [path for path in local_index.asked if path.endswith(".whl")] == wheels


def test_the_class_of_a_release_that_was_not_examined_is_found(watched: SmallProject) -> None:
    watched.boto_matrix("surface", "--sweep")
    done = watched.boto_matrix("surface", "1.20.4", "1.21.1")
    assert done.exit_code == 0
    assert [line.split()[-2:] for line in done.output.splitlines()] == [["since", "1.20.3"], ["since", "1.21.0"]]


def test_a_release_of_an_unknown_class_is_called_out(watched: SmallProject, local_index: LocalIndex) -> None:
    watched.boto_matrix("surface", "--sweep")
    publish_botocore(local_index, "1.22.0", "4")
    done = watched.boto_matrix("surface", "1.21.2", "1.22.0")
    assert done.exit_code == 1
    assert "unknown" in done.output
    assert "surface --diff 1.21.2 1.22.0" in done.output


def test_before_the_first_sweep_nothing_is_known_and_that_is_said(watched: SmallProject) -> None:
    for typed in (["surface", "1.20.0"], ["surface"]):
        done = watched.boto_matrix(*typed)
        assert done.exit_code == 1
        assert "surface --sweep" in done.output


def test_a_difference_is_shown_as_code_without_the_docstring(watched: SmallProject) -> None:
    done = watched.boto_matrix("surface", "--diff", "1.20.2", "1.20.3")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "--- botocore.endpoint:Endpoint.send (1.20.2)",
        "+++ botocore.endpoint:Endpoint.send (1.20.3)",
        "@@ -1,2 +1,2 @@",
        " def send(self, request):",
        "-    return 1",
        "+    return 2",
    ]


def test_who_reads_only_the_beginning_of_a_difference_gets_no_traceback(watched: SmallProject) -> None:
    typed = watched.start("surface", "--diff", "1.20.2", "1.20.3")
    assert typed.stdout is not None
    typed.stdout.close()
    assert typed.wait(60) == 141


def test_no_difference_is_said_in_words(watched: SmallProject) -> None:
    done = watched.boto_matrix("surface", "--diff", "1.20.0", "1.20.1")
    assert done.exit_code == 0
    assert "Nothing that is stood on differs between botocore 1.20.0 and 1.20.1." in done.output


def test_what_is_installed_is_shown_without_an_index(watched: SmallProject, closed_port: str) -> None:
    done = watched.boto_matrix("surface", "--installed", UV_DEFAULT_INDEX=closed_port)
    assert done.exit_code == 1  # of no class here: this is a real botocore
    assert "botocore installed" in done.output
    assert "moto installed" in done.output
    assert "urllib3 installed" in done.output
    assert "python installed" in done.output


def test_a_python_is_examined_on_this_machine_and_no_index_is_asked(watched: SmallProject, closed_port: str) -> None:
    watched.environ["UV_DEFAULT_INDEX"] = closed_port
    known = SurfaceRecord().with_releases(stands_on_in_python(), {Version("3.8.1"): "of another machine"})
    write_record(known, watched.folder / "surface.json")
    assert watched.boto_matrix("surface", "--sweep", "--package", "python").exit_code == 0
    releases = read_record(watched.folder / "surface.json").packages["python"].releases
    assert releases.keys() == {"3.8.1", THIS_PYTHON}
    done = watched.boto_matrix("surface", "--package", "python", PYTHON, THIS_PYTHON)
    assert done.exit_code == 0
    assert [line.split()[-2:] for line in done.output.splitlines()] == [["since", THIS_PYTHON]] * 2
    done = watched.boto_matrix("surface", "--package", "python", "--diff", PYTHON, "installed")
    assert f"Nothing that is stood on differs between python {PYTHON} and installed." in done.output


def test_an_unknown_python_is_called_out_with_the_command_that_records_it(watched: SmallProject) -> None:
    known = SurfaceRecord().with_releases(stands_on_in_python(), {Version("3.8.1"): "another"})
    write_record(known, watched.folder / "surface.json")
    done = watched.boto_matrix("surface", "--package", "python", PYTHON)
    assert done.exit_code == 1
    assert "`surface --sweep --package python` records it" in " ".join(done.output.split())


def test_prereleases_and_yanked_releases_are_not_examined(watched: SmallProject, local_index: LocalIndex) -> None:
    publish_botocore(local_index, "1.22.0", "4")
    local_index.files["botocore"]["botocore-1.22.0-py3-none-any.whl"].is_yanked = True
    publish_botocore(local_index, "1.23.0rc1", "5")
    done = watched.boto_matrix("surface", "--sweep", "--package", "botocore")
    assert "botocore: 3 classes in 6 examined releases" in done.output


def test_a_release_that_cannot_be_examined_is_named_and_passed_over(
    watched: SmallProject, local_index: LocalIndex
) -> None:
    publish(local_index, "botocore", "1.22.0", {"endpoint.py": "print 'old'"})
    done = watched.boto_matrix("surface", "--sweep", "--package", "botocore")
    assert done.exit_code == 0
    assert "botocore 1.22.0 is passed over: botocore/endpoint.py is not Python" in done.output


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["surface", "--sweep"], "cannot be asked"),
        (["surface", "1.20.0"], "cannot be asked"),
        (["surface", "--diff", "1.20.0", "1.20.1"], "cannot be asked"),
    ],
)
def test_without_a_network_there_is_a_sentence_and_nothing_is_written(
    typed: list[str], said: str, watched: SmallProject, closed_port: str
) -> None:
    done = watched.boto_matrix(*typed, UV_DEFAULT_INDEX=closed_port)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
    assert not (watched.folder / "surface.json").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["surface", "1.99.0"], "has no wheel of botocore 1.99.0"),
        (["surface", "newest"], "newest is no release"),
        (["surface", "--diff", "1.20.0"], "expected 2 arguments"),
        (["surface", "--package", "boto3"], "invalid choice"),
        (["surface", "--package", "moto", "9.9.9"], "has no wheel of moto 9.9.9"),
        (["surface", "--package", "python", "3.0.9"], "there is no Python 3.0.9 on this machine"),
        (["surface", "--package", "python", f"{PYTHON}.99"], f"there is no Python {PYTHON}.99 on this machine"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(typed: list[str], said: str, watched: SmallProject) -> None:
    done = watched.boto_matrix(*typed)
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_damaged_record_is_told_in_a_sentence(watched: SmallProject) -> None:
    (watched.folder / "surface.json").write_text("{")
    done = watched.boto_matrix("surface", "1.20.0")
    assert done.exit_code == 2
    assert "surface.json: is not a record of surfaces" in done.output


def test_a_damaged_file_in_the_cache_is_fetched_again(local_index: LocalIndex, tmp_path: Path) -> None:
    publish_botocore(local_index, "1.20.0", "1")
    index = PackageIndex(local_index.url)
    ReleasedSources(index, tmp_path).of("botocore", "1.20.0")
    [kept] = tmp_path.glob("*/botocore-1.20.0.zip")
    kept.write_bytes(b"half")
    text = ReleasedSources(index, tmp_path).of("botocore", "1.20.0").read("botocore/endpoint.py")
    assert text is not None
    assert "return 1" in text


def test_only_python_files_are_kept(local_index: LocalIndex, tmp_path: Path) -> None:
    publish(local_index, "botocore", "1.20.0", {"endpoint.py": "", "data/s3.json": "{}", "vendored/six.py": ""})
    sources = ReleasedSources(PackageIndex(local_index.url), tmp_path).of("botocore", "1.20.0")
    [kept] = tmp_path.glob("*/*.zip")
    with zipfile.ZipFile(kept) as archive:
        assert sorted(archive.namelist()) == [
            "botocore/__init__.py",
            "botocore/endpoint.py",
            "botocore/vendored/six.py",
        ]
    assert sources.files == ("botocore/__init__.py", "botocore/endpoint.py")
    assert sources.read("botocore/data/s3.json") is None


def test_two_indexes_may_have_different_releases_of_one_number(local_index: LocalIndex, tmp_path: Path) -> None:
    publish_botocore(local_index, "1.20.0", "1")
    ReleasedSources(PackageIndex(local_index.url), tmp_path).of("botocore", "1.20.0")
    publish_botocore(local_index, "1.20.0", "2")
    other = PackageIndex(local_index.url.replace("/simple/", "/other/"))
    text = ReleasedSources(other, tmp_path).of("botocore", "1.20.0").read("botocore/endpoint.py")
    assert text is not None
    assert "return 2" in text


def test_a_wheel_that_is_none_is_an_error_and_is_not_kept(local_index: LocalIndex, tmp_path: Path) -> None:
    publish_botocore(local_index, "1.20.0", "1")
    local_index.files["botocore"]["botocore-1.20.0-py3-none-any.whl"].content = b"no wheel"
    with pytest.raises(UnreadableSources, match=r"botocore-1\.20\.0-py3-none-any\.whl from .* is damaged"):
        ReleasedSources(PackageIndex(local_index.url), tmp_path).of("botocore", "1.20.0")
    assert not [*tmp_path.glob("*/*")]


def test_a_cell_tells_the_surface_of_what_it_has_installed_and_of_its_python(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for package in ("botocore", "moto", "urllib3"):
        (tmp_path / "one.whl").write_bytes(wheel(package, "1.0.0", {"endpoint.py": "class Endpoint: pass\n"}))
        with zipfile.ZipFile(tmp_path / "one.whl") as archive:
            archive.extractall(packages)
    library = tmp_path / "base" / "lib" / "python3.11"
    (library / "http").mkdir(parents=True)
    (library / "http" / "client.py").write_text("class HTTPConnection:\n    def close(self): pass\n")
    (tmp_path / "pyvenv.cfg").write_text(f"home = {tmp_path}/base/bin\nversion_info = 3.11.7\n")
    python = tmp_path / "bin" / "python"
    assert (site_packages_of(python), library_of(python, "3.11.7")) == (packages, library)
    found = surfaces_of_cell(python, "3.11.7")
    assert [*found] == ["botocore", "moto", "urllib3", "python"]
    for one in found.values():
        assert one.fingerprint is not None
        assert (one.name, one.problem) == (None, "no examined release has this surface")
        json.loads(one.model_dump_json())


def test_the_library_of_a_python_is_found_whether_its_environment_links_or_copies_it(tmp_path: Path) -> None:
    for name, has_links in (("links", True), ("copies", False)):
        venv.create(tmp_path / name, symlinks=has_links)
        found = library_of(tmp_path / name / "bin" / "python", THIS_PYTHON)
        assert found.samefile(sysconfig.get_path("stdlib"))


def test_what_is_installed_here_is_known_to_a_cell() -> None:
    for package, found in surfaces_of_cell(Path(sys.executable), THIS_PYTHON).items():
        assert found.fingerprint is not None, f"{package}: {found.problem}"
        assert found.name is None or found.name.startswith("since ")


@pytest.mark.parametrize(
    ("package", "fingerprint", "name", "said"),
    [
        ("botocore", "ab", None, ["botocore 1.44.5 is of an unknown surface class"]),
        ("urllib3", "ab", None, ["urllib3 2.8.0 is of an unknown surface class"]),
        ("python", "ab", None, ["python 3.11.7 is of an unknown surface class"]),
        ("botocore", "ab", "since 1.20.0", []),
        ("botocore", None, None, []),
    ],
)
def test_a_release_of_an_unknown_class_is_called_out_even_when_its_tests_pass(
    package: str, fingerprint: str | None, name: str | None, said: list[str]
) -> None:
    found = cell("py311-boto1.44", boto3="1.44.5", surfaces={package: FoundSurface(fingerprint=fingerprint, name=name)})
    assert [line.partition(":")[0] for line in called_out([found, found])] == said


def test_what_the_guard_does_not_know_is_called_out_once_for_all_cells() -> None:
    new, broken = FoundModel(unclassified=("FoldObject", "PutObject.Fold")), FoundModel(problem="is not there")
    cells = [cell(f"py3{minor}-boto1.50", boto3="1.50.0", s3_model=new) for minor in (11, 12)]
    cells += [cell(boto3="1.20.0", s3_model=broken), cell(s3_model=FoundModel()), cell()]
    assert called_out(cells) == [
        "botocore 1.20.0 cannot be compared with aistore_patch.guard: is not there",
        "botocore 1.50.0 has S3 operations or parameters that aistore_patch.guard does not know: FoldObject, "
        "PutObject.Fold; classify them there",
    ]


def test_a_cell_that_passed_with_something_unknown_says_so_in_the_results_and_on_the_screen(
    project: SmallProject,
) -> None:
    declare_surface(project)
    sources = {
        "endpoint.py": "class Endpoint:\n    def send(self): pass\n",
        "data/s3/2006-03-01/service-2.json": json.dumps(model_of({"FoldObject": {}})),
    }
    (project.folder / "wheels" / "botocore-1.29.24-py3-none-any.whl").write_bytes(wheel("botocore", "1.29.24", sources))
    done = project.boto_matrix("run", f"{PY}-boto1.26")
    assert done.exit_code == 0
    assert "botocore 1.29.24 is of an unknown surface class" in done.output
    assert f"python {THIS_PYTHON} is of an unknown surface class" in done.output
    assert "aistore_patch.guard does not know: FoldObject; classify them there" in " ".join(done.output.split())
    [found] = project.results().cells
    assert found.surfaces["botocore"].fingerprint is not None
    assert found.surfaces["moto"].problem is not None  # it is not installed there
    assert found.s3_model == FoundModel(unclassified=("FoldObject",))


def test_a_cell_without_the_packages_says_so_and_goes_on(tmp_path: Path) -> None:
    found = surfaces_of_cell(tmp_path / "bin" / "python", "3.11.7")
    assert {one.fingerprint for one in found.values()} == {None}
    assert all("is not installed in" in (one.problem or "") for one in found.values())
    assert model_of_cell(tmp_path / "bin" / "python") is None
    with pytest.raises(NotInstalled):
        installed_sources("botocore", tmp_path)


def stands_on_in_python() -> Declaration:
    """What `declare_surface` declares."""
    return Declaration("python", "3.8", ("http.client:HTTPConnection.close",))
