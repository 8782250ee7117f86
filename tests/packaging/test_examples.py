"""The example configurations: each is one that `gcelib check` takes, and that the pages tell of."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gcelib.cli import main
from gcelib.config import load

EXAMPLES = sorted((Path(__file__).parents[2] / "packaging" / "examples").glob("*.toml"))


@pytest.fixture
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The example as an operator has it, with files of secrets beside it."""
    example: Path = request.param
    path = tmp_path / "gcelib.toml"
    path.write_text(example.read_text())
    for cloud in tomllib.loads(example.read_text())["clouds"].values():
        for way in ("key_file", "secret_file"):
            if way in cloud:
                (tmp_path / cloud[way]).write_text("a-word\n")
    (tmp_path / "seal.key").write_text("s" * 64)
    for each in tmp_path.iterdir():
        each.chmod(0o640)
    return path


@pytest.mark.parametrize("written", EXAMPLES, ids=lambda path: path.stem, indirect=True)
def test_check_takes_an_example(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(written)]) == 0
    said = capsys.readouterr()
    assert (said.out.partition(":")[0], said.err) == ("OK", "")


@pytest.mark.parametrize("written", EXAMPLES, ids=lambda path: path.stem, indirect=True)
def test_every_option_in_comments_of_an_example_is_one_too(written: Path) -> None:
    lines = written.read_text().splitlines()
    # What is offered in a comment reads `# name = value`.
    bare = [line.removeprefix("# ") if line.startswith("# ") and " = " in line else line for line in lines]
    for name in ("compute.example.pem", "compute.example.key", "cloud-ca.pem", "keystone-ca.pem"):
        bare = [line.replace(f"/etc/gcelib/{name}", str(written)) for line in bare]
    written.write_text("\n".join(bare))
    assert load(written).clouds


def test_the_kinds_of_clouds_are_all_there() -> None:
    assert {path.stem for path in EXAMPLES} == {"callers", "cloudstack", "ec2", "hybrid", "openstack", "replicas"}
