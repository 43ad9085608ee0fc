"""The page of `/api/docs/`: the schema of `/api/schema/` laid out to be read, with nothing loaded from elsewhere."""

from dataclasses import dataclass, field
from functools import cache

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes

ROOT = "/api/v1/"


class Schema(AutoSchema):
    """What an endpoint says of itself: `takes` names the serializer of the body that each action reads (None: it reads
    none). Nothing is claimed of an answer that no serializer describes.
    """

    def get_request_serializer(self):
        return getattr(self.view, "takes", {}).get(self.view.action)

    def get_response_serializers(self):
        return getattr(self.view, "serializer_class", None) or OpenApiTypes.OBJECT

    def _is_list_view(self, serializer=None):
        return self.view.action == "list" and hasattr(self.view, "paginate_queryset")


@dataclass(frozen=True)
class Field:
    """One thing that is sent, in the address or in the body."""

    name: str
    kind: str
    is_required: bool
    note: str = ""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    description: str
    parameters: list[Field]
    body: list[Field]
    statuses: list[str]

    @property
    def sent(self):
        """(heading, fields) of what there is to send."""
        both = (("In the address", self.parameters), ("In the body", self.body))
        return [(title, fields) for title, fields in both if fields]


@dataclass(frozen=True)
class Group:
    """The operations of one kind of record."""

    name: str
    operations: list[Operation] = field(default_factory=list)

    @property
    def title(self):
        return self.name.replace("-", " ").capitalize()


@cache
def groups() -> list[Group]:
    """Read once: the endpoints do not change while the process runs."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    shapes = schema["components"]["schemas"]
    found = {}
    for path, methods in schema["paths"].items():
        if not path.startswith(ROOT):
            continue
        name = path.removeprefix(ROOT).split("/")[0]
        group = found.setdefault(name, Group(name))
        group.operations.extend(_operation(method, path, told, shapes) for method, told in methods.items())
    return list(found.values())


def _operation(method, path, told, shapes) -> Operation:
    parameters = [
        Field(p["name"], _kind(p["schema"], shapes), p.get("required", False), p.get("description", ""))
        for p in told.get("parameters", [])
    ]
    sent = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return Operation(
        method=method.upper(),
        path=path,
        description=told.get("description", "").replace("`", ""),
        parameters=parameters,
        body=_fields(sent, shapes),
        statuses=sorted(told["responses"]),
    )


def _resolved(shape, shapes):
    named = shape.get("$ref") or next((part["$ref"] for part in shape.get("allOf", []) if "$ref" in part), "")
    return shapes[named.rsplit("/", 1)[-1]] if named else shape


def _fields(shape, shapes) -> list[Field]:
    shape = _resolved(shape, shapes)
    required = set(shape.get("required", []))
    return [
        Field(name, _kind(inner, shapes), name in required, inner.get("description", ""))
        for name, inner in shape.get("properties", {}).items()
        if not inner.get("readOnly")
    ]


def _kind(shape, shapes) -> str:
    """`integer`, `date`, `one of a, b`, `list of integer`."""
    shape = _resolved(shape, shapes)
    if "enum" in shape:
        return f"one of {', '.join(str(choice) for choice in shape['enum'])}"
    if "oneOf" in shape:
        return " or ".join(_kind(part, shapes) for part in shape["oneOf"])
    if shape.get("type") == "array":
        return f"list of {_kind(shape['items'], shapes)}"
    return shape.get("format") or shape.get("type") or "any JSON"
