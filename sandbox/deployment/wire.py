"""Pulumi's property values between their form on the wire (protobuf Struct) and plain Python."""

import io
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from google.protobuf.struct_pb2 import Struct, Value

# The markers of sdk/go/common/resource/properties.go in github.com/pulumi/pulumi.
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a marker, not a password
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN_MARK: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

# The earliest time a zip can hold: equal files give equal bytes whenever they were written.
ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)

Properties: TypeAlias = dict[str, Any]


class Unknown:
    """The type of UNKNOWN: a value that exists only after something else was created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class UnreadableAssetError(Exception):
    """An asset or archive whose bytes cannot be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in a program's inputs; equal to another one with the same content hash."""

    hash: str
    source: Mapping[str, Any] = field(compare=False, repr=False)

    def content(self) -> bytes:
        """The file's bytes."""
        if "text" in self.source:
            return str(self.source["text"]).encode()
        if "path" in self.source:
            return Path(self.source["path"]).read_bytes()
        # The engine leaves out an empty text.
        if self.hash == sha256(b"").hexdigest():
            return b""
        raise UnreadableAssetError(f"The sandbox reads assets with a text or a path, not {self}.")


@dataclass(frozen=True, slots=True)
class Archive:
    """A set of files in a program's inputs; equal to another one with the same content hash."""

    hash: str
    source: Mapping[str, Any] = field(compare=False, repr=False)

    def zipped(self) -> bytes:
        """A zip of the files: the same bytes for the same files, on every machine."""
        if "assets" not in self.source:
            raise UnreadableAssetError(f"The sandbox reads archives of assets, not {self}.")
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:
            for name, asset in sorted(self.source["assets"].items()):
                entry = zipfile.ZipInfo(name, ZIP_TIME)
                entry.external_attr = 0o644 << 16
                file.writestr(entry, asset.content())
        return target.getvalue()


def decode(struct: Struct) -> Properties:
    """The properties in plain Python, UNKNOWN, Asset and Archive; secrets are decrypted."""
    return {name: _decoded(value) for name, value in struct.fields.items()}


def secret_names(struct: Struct) -> frozenset[str]:
    """The properties that are a secret or hold one."""
    return frozenset(name for name, value in struct.fields.items() if _holds_secret(value))


def encode(properties: Mapping[str, Any], secret: Collection[str] = ()) -> Struct:
    """The properties for the wire, those named in ``secret`` marked as secrets."""
    struct = Struct()
    struct.update(
        {
            name: {SIGNATURE: SECRET, "value": _plain(value)} if name in secret else _plain(value)
            for name, value in properties.items()
        }
    )
    return struct


def _decoded(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _decoded_object(dict(value.struct_value.fields.items()))
        case "list_value":
            return [_decoded(item) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_MARK else value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _decoded_object(fields: dict[str, Value]) -> Any:
    signature = fields.pop(SIGNATURE, Value()).string_value
    if signature == SECRET:
        return _decoded(fields["value"])
    plain = {name: _decoded(value) for name, value in fields.items()}
    if signature in (ASSET, ARCHIVE):
        kind = Asset if signature == ASSET else Archive
        return kind(plain.pop("hash", ""), plain)
    return plain


def _holds_secret(value: Value) -> bool:
    if value.HasField("list_value"):
        return any(_holds_secret(item) for item in value.list_value.values)
    fields = value.struct_value.fields
    if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
        return True
    return any(_holds_secret(item) for item in fields.values())


def _plain(value: Any) -> Any:
    match value:
        case Unknown():
            return UNKNOWN_MARK
        case Asset() | Archive():
            signature = ASSET if isinstance(value, Asset) else ARCHIVE
            return {SIGNATURE: signature, "hash": value.hash, **_plain(value.source)}
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
