"""One pass over the structure of an ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.models.onnx.protobuf import Field, ProtobufFile

_TYPES = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
"""numpy's names by TensorProto.DataType."""

_DEEPEST = 16
_MOST_METADATA = 4 * 1024 * 1024


@dataclass(frozen=True)
class OnnxValue:
    """An input or output of the graph.

    Attributes:
        name: Its name.
        type: numpy's name of its element type; empty if unknown.
        shape: Its dimensions, `None` for a variable one; `None` as a whole if not declared.
    """

    name: str
    type: str
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        sides = "?" if self.shape is None else " x ".join("?" if side is None else str(side) for side in self.shape)
        return f"{self.name} [{sides}]"


@dataclass(frozen=True)
class OnnxNode:
    """A node of the graph: its operation and the names of its inputs."""

    operation: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class OnnxFile:
    """The structure of an ONNX file.

    Attributes:
        inputs, outputs: Inputs and outputs of the model.
        metadata: Its `metadata_props`.
        companions: Names of external tensor files, with the least size of each in bytes.
        nodes: Nodes of the graph by the name of each output.
        integers: Scalar integer constants by name.
    """

    inputs: tuple[OnnxValue, ...]
    outputs: tuple[OnnxValue, ...]
    metadata: Mapping[str, str]
    companions: Mapping[str, int]
    nodes: Mapping[str, OnnxNode]
    integers: Mapping[str, int]


@dataclass
class Walk:
    """One pass over a ModelProto. Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto"""

    file: ProtobufFile
    inputs: list[OnnxValue] = field(default_factory=list)
    outputs: list[OnnxValue] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    companions: dict[str, int] = field(default_factory=dict)
    nodes: dict[str, OnnxNode] = field(default_factory=dict)
    integers: dict[str, int] = field(default_factory=dict)
    initialised: set[str] = field(default_factory=set)

    def read(self) -> OnnxFile:
        """Read the whole file.

        Raises:
            ValueError: the file is not a ModelProto with a graph.
        """
        graphs = 0
        for part in self.file.fields(0, self.file.size):
            if part.number == 7:
                self._graph(part)
                graphs += 1
            elif part.number == 14:
                key, value = self._pair(part, _MOST_METADATA)
                self.metadata[key] = value
            elif part.number == 25:
                for step in self._parts(part, 7):
                    self._node(step, 1)
        if not graphs:
            raise ValueError("there is no graph")
        # Up to version 3 of the format, initialisers were listed as inputs, too.
        inputs = tuple(value for value in self.inputs if value.name not in self.initialised)
        return OnnxFile(inputs, tuple(self.outputs), self.metadata, self.companions, self.nodes, self.integers)

    def _parts(self, message: Field, *numbers: int) -> Iterator[Field]:
        return (part for part in self.file.fields(message.start, message.end) if part.number in numbers)

    def _pair(self, message: Field, most: int = 4096) -> tuple[str, str]:
        pair = {part.number: self.file.text(part, most) for part in self._parts(message, 1, 2)}
        return pair.get(1, ""), pair.get(2, "")

    def _graph(self, graph: Field, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise ValueError("graphs in graphs without an end")
        for part in self._parts(graph, 1, 5, 11, 12, 15):
            if part.number == 1:
                self._node(part, depth)
            elif part.number == 5:
                self._tensor(part, depth)
            elif part.number == 15:
                self._sparse(part, depth)
            elif depth == 0:
                (self.inputs if part.number == 11 else self.outputs).append(self._value(part))

    def _node(self, node: Field, depth: int) -> None:
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: list[Field] = []
        operation = ""
        for part in self._parts(node, 1, 2, 4, 5):
            if part.number == 5:
                attributes.append(part)
            elif part.number == 4:
                operation = self.file.text(part)
            else:
                (inputs if part.number == 1 else outputs).append(self.file.text(part))
        if depth == 0:
            self.nodes.update(dict.fromkeys(outputs, OnnxNode(operation, tuple(inputs))))
        for attribute in attributes:
            self._attribute(attribute, depth, outputs[0] if operation == "Constant" and outputs else "")

    def _attribute(self, attribute: Field, depth: int, constant: str) -> None:
        for part in self._parts(attribute, 5, 6, 10, 11, 22, 23):
            if part.number in (6, 11):
                self._graph(part, depth + 1)
            elif part.number in (22, 23):
                self._sparse(part, depth)
            else:
                self._tensor(part, depth, constant)

    def _sparse(self, tensor: Field, depth: int) -> None:
        for part in self._parts(tensor, 1, 2):
            self._tensor(part, depth)

    def _tensor(self, tensor: Field, depth: int, constant: str = "") -> None:
        name, pairs, kind, is_external = constant, {}, 0, False
        dimensions: list[int] = []
        content: Field | None = None
        for part in self._parts(tensor, 1, 2, 7, 8, 9, 13, 14):
            if part.number == 1:
                dimensions += self.file.integers(part)
            elif part.number == 2:
                kind = part.value or 0
            elif part.number in (7, 9):
                content = part
            elif part.number == 8:
                name = constant or self.file.text(part)
            elif part.number == 13:
                key, value = self._pair(part)
                pairs[key] = value
            else:
                is_external = part.value == 1
        if is_external:
            self._companion(pairs)
        if depth == 0:
            self.initialised.add(name)
            if content and _TYPES.get(kind) == "int64" and dimensions in ([], [1]):
                self._integer(name, content)

    def _companion(self, pairs: Mapping[str, str]) -> None:
        end = int(pairs.get("offset") or 0) + int(pairs.get("length") or 0)
        location = pairs.get("location", "")
        self.companions[location] = max(end, self.companions.get(location, 0))

    def _integer(self, name: str, content: Field) -> None:
        if content.number == 7:
            self.integers[name] = self.file.integers(content)[0]
        elif content.end - content.start == 8:
            self.integers[name] = int.from_bytes(self.file.content(content, 8), "little", signed=True)

    def _value(self, value: Field) -> OnnxValue:
        name, kind, shape = "", "", None
        for part in self._parts(value, 1, 2):
            if part.number == 1:
                name = self.file.text(part)
                continue
            for tensor in self._parts(part, 1):
                for entry in self._parts(tensor, 1, 2):
                    if entry.number == 1:
                        kind = _TYPES.get(entry.value or 0, "")
                    else:
                        shape = tuple(self._side(side) for side in self._parts(entry, 1))
        return OnnxValue(name, kind, shape)

    def _side(self, dimension: Field) -> int | None:
        sides = [self.file.integers(part)[0] for part in self._parts(dimension, 1)]
        return sides[0] if sides and sides[0] > 0 else None
