"""Property values survive the way over the wire, and archives become the same zip everywhere."""

import io
import zipfile
from pathlib import Path

import pytest

from sandbox.deployment import wire
from sandbox.deployment.wire import UNKNOWN, Archive, Asset, UnreadableAssetError

VALUES = {
    "flag": True,
    "list": [1, "two", None],
    "map": {"inner": {"unknown": UNKNOWN}},
    "number": 1.5,
    "whole": 300,
}


def test_values_come_back() -> None:
    """What is encoded is decoded to the same, whole numbers as int."""
    assert wire.decode(wire.encode(VALUES)) == VALUES


def test_secrets_are_named_and_opened() -> None:
    """A secret is decoded to its value; the property that holds one is named."""
    struct = wire.encode({"open": "a", "closed": {"deep": "b"}}, secret={"closed"})
    assert wire.decode(struct) == {"open": "a", "closed": {"deep": "b"}}
    assert wire.secret_names(struct) == {"closed"}


def test_nested_secret_is_found() -> None:
    """A secret anywhere inside a property makes the property one."""
    secret = {wire.SIGNATURE: wire.SECRET, "value": "b"}
    struct = wire.encode({"outer": {"list": [secret]}, "open": "a"})
    assert wire.secret_names(struct) == {"outer"}


def archive(folder: Path) -> Archive:
    """An archive of a text and a file."""
    file = folder / "file.py"
    file.write_text("two")
    text = Asset("1", {"text": "one"})
    return Archive("3", {"assets": {"z.txt": text, "a/a.py": Asset("2", {"path": str(file)})}})


def test_zip_holds_every_file_sorted(tmp_path: Path) -> None:
    """Texts and files become one zip, sorted, readable by everybody, of one date."""
    zipped = zipfile.ZipFile(io.BytesIO(archive(tmp_path).zipped()))
    assert zipped.namelist() == ["a/a.py", "z.txt"]
    assert zipped.read("a/a.py") == b"two"
    assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in zipped.infolist()} == {0o644}


def test_zip_is_the_same_twice(tmp_path: Path) -> None:
    """Equal files give equal bytes, whatever their modification time."""
    first = archive(tmp_path).zipped()
    (tmp_path / "file.py").touch()
    assert archive(tmp_path).zipped() == first


def test_archive_comes_back(tmp_path: Path) -> None:
    """An archive keeps its hash and its contents over the wire."""
    sent = archive(tmp_path)
    got = wire.decode(wire.encode({"code": sent}))["code"]
    assert got == sent
    assert got.zipped() == sent.zipped()


def test_empty_text_is_no_missing_text() -> None:
    """The engine sends an empty text as nothing but its hash."""
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Asset(digest, {}).content() == b""


def test_elided_archive_is_refused() -> None:
    """An archive without contents has no bytes to upload."""
    with pytest.raises(UnreadableAssetError, match="The sandbox reads archives of assets"):
        Archive("abc", {}).zipped()
