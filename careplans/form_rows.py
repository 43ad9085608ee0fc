"""Forms that repeat: the phases and goals of a plan or template, and a refusal shown where it was typed."""

ROWS = 3


def rows_of(rows, data, name, initial):
    """At least three rows; the rows beyond what is there already are empty."""
    found = rows(data, prefix=name, initial=initial)
    found.extra = max(ROWS - len(initial), 1)
    return found


def filled(rows):
    return [row for row in rows if row.cleaned_data and row.is_filled]


def show(broken, form, sets):
    """Each fault of a refused plan at the field where it was typed; what has no field goes to the top."""
    for name, text in (broken.fields or {"": broken.message}).items():
        where, number, field = [*name.split("."), "", ""][:3]
        if where in sets and field:
            filled(sets[where])[int(number)].add_error(field, text)
        else:
            form.add_error(where if where in form.fields else None, text)
