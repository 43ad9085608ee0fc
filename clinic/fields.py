from django.db import models


class CodePointField(models.CharField):
    """Text in the order of its code points on both engines, so that a beginning is one range of a btree.

    SQLite compares so anyway; PostgreSQL only in the collation "C", else by the language of the database.
    """

    def db_parameters(self, connection):
        parameters = super().db_parameters(connection)
        if connection.vendor == "postgresql":
            parameters["collation"] = "C"
        return parameters
