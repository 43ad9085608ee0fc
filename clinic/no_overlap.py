"""NoOverlap: two rows of one resource never share a minute. A property of the database, on both engines.

PostgreSQL gets an exclusion constraint over one int8range, which needs no extension: the resource id is the high half
of the bounds and the minute the low half. SQLite gets BEFORE INSERT and BEFORE UPDATE triggers, made of Statement and
Table references so that Django renames them with the table when it remakes it.
"""

import re

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.backends.ddl_references import Statement, Table
from django.db.models.constraints import BaseConstraint
from django.db.models.sql import Query


class NoOverlap(BaseConstraint):
    """`resource` is an id field; `start` and `end` are integer fields of epoch minutes, half-open.

    `condition` (a Q over the row's own fields) says which rows count. A row is at most `longest` minutes long, which
    bounds how far back SQLite has to look; pair it with a CheckConstraint.
    """

    def __init__(self, *, name, resource, start, end, condition=None, longest=1440, violation_error_message=None):
        super().__init__(name=name, violation_error_message=violation_error_message or "This time is already taken.")
        self.resource, self.start, self.end = resource, start, end
        self.condition, self.longest = condition or models.Q(), longest

    def _parts(self, model, schema_editor):
        quote = schema_editor.quote_name
        columns = [quote(model._meta.get_field(f).column) for f in (self.resource, self.start, self.end)]
        where, params = "1 = 1", ()
        if self.condition:
            query = Query(model=model, alias_cols=False)
            compiler = query.get_compiler(connection=schema_editor.connection)
            where, params = query.build_where(self.condition).as_sql(compiler, schema_editor.connection)
        return columns, where % tuple(schema_editor.quote_value(p) for p in params)

    def _exclusion(self, model, schema_editor):
        (resource, start, end), where = self._parts(model, schema_editor)
        high = f"({resource}::bigint << 32)"
        return (
            f"CONSTRAINT {schema_editor.quote_name(self.name)} EXCLUDE USING gist "
            f"(int8range({high} + {start}, {high} + {end}) WITH &&) WHERE ({resource} IS NOT NULL AND ({where}))"
        )

    def triggers(self, model, schema_editor):
        (resource, start, end), where = self._parts(model, schema_editor)
        new_where = re.sub(r'"(\w+)"', r'NEW."\1"', where)
        body = (
            f"FOR EACH ROW WHEN NEW.{resource} IS NOT NULL AND ({new_where}) BEGIN "  # noqa: S608 -- DDL from model fields
            f"SELECT RAISE(ABORT, 'no_overlap: {self.name}') WHERE EXISTS (SELECT 1 FROM %(table)s "
            f"WHERE {resource} = NEW.{resource} AND {start} < NEW.{end} AND {end} > NEW.{start} "
            f"AND {start} > NEW.{start} - {self.longest} AND id IS NOT NEW.id AND ({where})); END"
        )
        table = Table(model._meta.db_table, schema_editor.quote_name)
        for verb in ("INSERT", "UPDATE"):
            name = schema_editor.quote_name(f"{self.name}_{verb.lower()}")
            yield Statement(f"CREATE TRIGGER {name} BEFORE {verb} ON %(table)s {body}", table=table)

    def constraint_sql(self, model, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            return self._exclusion(model, schema_editor)
        schema_editor.deferred_sql.extend(self.triggers(model, schema_editor))
        return None

    def create_sql(self, model, schema_editor):
        table = Table(model._meta.db_table, schema_editor.quote_name)
        return Statement(f"ALTER TABLE %(table)s ADD {self._exclusion(model, schema_editor)}", table=table)

    def remove_sql(self, model, schema_editor):
        table = Table(model._meta.db_table, schema_editor.quote_name)
        return Statement(f"ALTER TABLE %(table)s DROP CONSTRAINT {schema_editor.quote_name(self.name)}", table=table)

    def validate(self, model, instance, exclude=None, using=DEFAULT_DB_ALIAS):
        resource = getattr(instance, model._meta.get_field(self.resource).attname)
        if resource is None or (
            self.condition and not self.condition.check(self._values(model, instance), using=using)
        ):
            return
        rivals = model._base_manager.using(using).filter(
            self.condition,
            **{
                self.resource: resource,
                f"{self.start}__lt": getattr(instance, self.end),
                f"{self.end}__gt": getattr(instance, self.start),
            },
        )
        if rivals.exclude(pk=instance.pk).exists():
            raise ValidationError(self.get_violation_error_message(), code="no_overlap")

    def _values(self, model, instance):
        return {f.attname: getattr(instance, f.attname) for f in model._meta.concrete_fields}

    def __eq__(self, other):
        return isinstance(other, NoOverlap) and self.deconstruct() == other.deconstruct()

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        kwargs |= {"resource": self.resource, "start": self.start, "end": self.end, "condition": self.condition,
                   "longest": self.longest}  # fmt: skip
        return path, args, kwargs
