# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the simple .fbs files of tools/schemas and writes flatbuffers from nested dictionaries."""

import dataclasses
import pathlib
import re

import flatbuffers
import numpy as np
from flatbuffers import number_types as nt

SCALARS = {
    "bool": nt.BoolFlags, "byte": nt.Int8Flags, "ubyte": nt.Uint8Flags, "int": nt.Int32Flags,
    "int32": nt.Int32Flags, "uint": nt.Uint32Flags, "long": nt.Int64Flags, "ulong": nt.Uint64Flags,
    "float": nt.Float32Flags,
}


@dataclasses.dataclass
class Field:
    """One field of a table: its slot, its type as written, its default, its forced alignment."""
    slot: int
    type: str
    default: str
    align: int


class Schema:
    """Tables, enums and unions of one .fbs file."""

    def __init__(self, path: pathlib.Path):
        text = re.sub(r"//[^\n]*", "", path.read_text())
        self.identifier = re.search(r'file_identifier "(\w{4})"', text)[1].encode()
        self.root = re.search(r"root_type (\w+)", text)[1]
        self.enums, self.enum_types, self.unions, self.tables = {}, {}, {}, {}
        for name, base, body in re.findall(r"enum (\w+) : (\w+) \{([^}]*)\}", text):
            self.enums[name] = {k: int(v) for k, v in re.findall(r"(\w+) = (\d+)", body)}
            self.enum_types[name] = base
        for name, body in re.findall(r"union (\w+) \{([^}]*)\}", text):
            self.unions[name] = {k: int(v) for k, v in re.findall(r"(\w+)(?:: \w+)? = (\d+)", body)}
        for name, body in re.findall(r"table (\w+) \{([^}]*)\}", text):
            self.tables[name] = self._fields(body)

    def _fields(self, body: str) -> dict:
        fields, slot = {}, 0
        for name, kind, default, attributes in re.findall(
                r"(\w+): ([\w\[\]]+)(?: = (\w+))?(?: \(([^)]*)\))?;", body):
            slot += kind in self.unions  # the member's number comes first
            align = re.search(r"force_align: (\d+)", attributes)
            fields[name] = Field(slot, kind, default, int(align[1]) if align else 0)
            slot += 1
        return fields

    def number(self, kind: str, value) -> int | float | bool:
        """A scalar or enum value; enum values may be given by name."""
        if kind in self.enums:
            return self.enums[kind][value] if isinstance(value, str) else value
        if isinstance(value, str):
            return {"true": 1, "false": 0}.get(value) if value.isalpha() else float(value)
        return value

    def flags(self, kind: str):
        """Number format of a scalar or enum type."""
        return SCALARS[self.enum_types.get(kind, kind)]

    def write(self, root: dict) -> bytes:
        """The finished file."""
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._table(builder, self.root, root), self.identifier)
        return bytes(builder.Output())

    def _table(self, builder, name: str, values: dict) -> int:
        fields = self.tables[name]
        if unknown := set(values) - set(fields):
            raise KeyError(f"{name} has no field {sorted(unknown)}")
        offsets = {}
        for key, value in values.items():
            field = fields[key]
            if field.type in self.unions:  # (member, {fields})
                offsets[key] = self._table(builder, value[0], value[1])
            elif field.type in self.tables:
                offsets[key] = self._table(builder, field.type, value)
            elif field.type == "string":
                offsets[key] = builder.CreateString(value)
            elif field.type.startswith("["):
                offsets[key] = self._vector(builder, field, value)
        builder.StartObject(max((f.slot for f in fields.values()), default=-1) + 1)
        for key, value in values.items():
            field = fields[key]
            if field.type in self.unions:
                number = self.unions[field.type][value[0]]
                builder.PrependSlot(nt.Uint8Flags, field.slot - 1, number, 0)
            if key in offsets:
                builder.PrependUOffsetTRelativeSlot(field.slot, offsets[key], 0)
            else:
                default = self.number(field.type, field.default) if field.default else 0
                builder.PrependSlot(self.flags(field.type), field.slot,
                                    self.number(field.type, value), default)
        return builder.EndObject()

    def _vector(self, builder, field: Field, values) -> int:
        kind = field.type[1:-1]
        if kind in self.tables:
            tables = [self._table(builder, kind, v) for v in values]
            builder.StartVector(4, len(tables), 4)
            for offset in reversed(tables):
                builder.PrependUOffsetTRelative(offset)
            return builder.EndVector()
        flags = self.flags(kind)
        raw = np.asarray(values, nt.to_numpy_type(flags)).tobytes()
        builder.StartVector(flags.bytewidth, len(values), field.align or flags.bytewidth)
        builder.head -= len(raw)
        builder.Bytes[builder.head:builder.head + len(raw)] = raw
        return builder.EndVector()
