import re
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from django.apps import apps

from tests import house

MODELS = [m for m in apps.get_models() if m._meta.app_label in house.LAYERS]
RELATED = house.related_names(MODELS)


def url_owners():
    """The package that each address name belongs to."""
    owners = {}
    for layer in house.LAYERS:
        patterns = list(import_module(f"{layer}.urls").urlpatterns) if find_spec(f"{layer}.urls") else []
        for pattern in patterns:
            if getattr(pattern, "name", None):
                owners.setdefault(pattern.name, layer)
    return owners


OWNERS = url_owners()


def no(wrong):
    assert not wrong, "\n" + "\n".join(wrong)


# --- the repository keeps the rules


def test_imports_point_to_the_left():
    no(house.over_files(house.upward_imports, "*.py"))


def test_foreign_keys_point_to_the_left():
    no(house.upward_foreign_keys(MODELS))


def test_template_tags_point_to_the_left():
    no(house.over_files(lambda path, text: house.upward_template_tags(path, text, OWNERS), "*.html"))


def test_redirects_point_to_the_left():
    no(house.over_files(lambda module, text: house.upward_addresses(module, text, OWNERS), "*.py"))


def test_every_table_names_its_writers():
    assert {m.__name__ for m in MODELS} == set(house.WRITERS)


def test_every_writer_exists():
    known = {house.module_of(path) for path in house.files("*.py")}

    no([f"{module} is named as a writer and does not exist" for module in set().union(*house.WRITERS.values()) - known])


def test_tables_are_written_by_their_writers_only():
    no(house.over_files(lambda module, text: house.foreign_writes(module, text, RELATED), "*.py"))


def test_files_are_short():
    no(house.over_files(lambda name, text: house.too_long(name, text, house.MAX_FILE), "*.py", *house.LAYERS, "tests"))
    no(house.over_files(lambda name, text: house.too_long(name, text, house.MAX_TEMPLATE), "*.html"))
    no(house.over_files(lambda name, text: house.too_long(name, text, house.MAX_SCRIPT), "*.js"))


def test_functions_are_short():
    no(house.over_files(house.long_functions, "*.py", *house.LAYERS, "tests"))


def test_only_clinic_times_reads_the_clock():
    no(house.over_files(house.naive_clocks, "*.py"))


def test_nothing_is_hidden_in_signals_or_save():
    no(house.over_files(house.hidden_work, "*.py"))


def test_templates_have_nothing_inline():
    no(house.over_files(house.inline_code, "*.html"))


def test_times_name_their_zone_in_the_repeated_hour_too():
    no(house.over_files(house.zoneless_times, "*.html"))


def test_modules_have_names_of_the_clinic():
    no(house.over_files(house.nameless_module, "*.py"))


def test_every_environment_variable_is_in_the_readme():
    settings = (house.ROOT / "clinic/settings.py").read_text()
    names = set(re.findall(r'\benv\("(\w+)"|environ\.get\("(\w+)"', settings))
    readme = (house.ROOT / "README.md").read_text()

    no([f"{name} is not in the README" for pair in names for name in pair if name and f"`{name}`" not in readme])


# --- and each checker catches a planted mistake


@pytest.mark.parametrize(
    "source",
    [
        "from appointments import booking",
        "import appointments.booking",
        "def later():\n    from appointments.booking import book",
        "if TYPE_CHECKING:\n    from dashboard import views",
    ],
)
def test_an_upward_import_is_caught(source):
    assert len(house.upward_imports("patients.registration", source)) == 1


def test_a_downward_import_is_fine():
    assert house.upward_imports("patients.registration", "from clinic import audit\nimport locations.access") == []


def test_an_upward_foreign_key_is_caught():
    above = SimpleNamespace(_meta=SimpleNamespace(label="careplans.CarePlan", app_label="careplans"))
    field = SimpleNamespace(name="plan", is_relation=True, concrete=True, related_model=above)
    below = SimpleNamespace(
        _meta=SimpleNamespace(label="patients.Patient", app_label="patients", get_fields=lambda: [field])
    )

    assert house.upward_foreign_keys([below]) == [
        "patients.Patient.plan points at careplans.CarePlan, which is above it"
    ]


@pytest.mark.parametrize(
    "tag",
    [
        "{% extends 'careplans/plan.html' %}",
        '{% include "careplans/_goal.html" with goal=goal %}',
        "{% static 'careplans/plan.js' %}",
        "{% url 'plan' plan.pk %}",
    ],
)
def test_an_upward_template_tag_is_caught(tag):
    assert len(house.upward_template_tags("patients/templates/patients/x.html", tag, {"plan": "careplans"})) == 1
    assert house.upward_template_tags("dashboard/templates/dashboard/x.html", tag, {"plan": "careplans"}) == []


def test_an_upward_redirect_is_caught():
    source = 'def view(request):\n    return redirect("plan", 1)'

    assert len(house.upward_addresses("patients.views.staff", source, {"plan": "careplans"})) == 1


@pytest.mark.parametrize(
    "write",
    [
        "Appointment.objects.create(patient=patient)",
        "Appointment.objects.filter(pk=1).exclude(pk=2).update(status='x')",
        "Appointment._base_manager.bulk_create(rows)",
        "patient.appointments.all().delete()",
        "patient.appointments.update(status='x')",
        "appointment.save(update_fields=['status'])",
        "self.appointment.save()",
        "Appointment(patient=patient).save()",
    ],
)
def test_a_foreign_write_is_caught(write):
    wrong = house.foreign_writes("dashboard.views", write, RELATED)

    assert len(wrong) == 1
    assert "ask appointments.booking or appointments.together or appointments.visit_status" in wrong[0]
    assert house.foreign_writes("appointments.booking", write, RELATED) == []


@pytest.mark.parametrize(
    "harmless",
    ["{}.update(a=1)", "Appointment.objects.filter(pk=1)", "form.save()", "booking.create(x)", "seen.delete()"],
)
def test_what_is_no_write_is_left_alone(harmless):
    assert house.foreign_writes("dashboard.views", harmless, RELATED) == []


def test_a_long_function_is_caught():
    body = "\n".join(["    pass"] * house.MAX_FUNCTION)

    assert len(house.long_functions("patients.search", f"def find():\n{body}\n")) == 1
    assert house.long_functions("patients.search", f"def find():\n{body[9:]}\n") == []


def test_a_long_file_is_caught():
    assert house.too_long("x.py", "\n" * 501, house.MAX_FILE) == ["x.py has 501 lines; at most 500"]
    assert house.too_long("x.py", "\n" * 500, house.MAX_FILE) == []


@pytest.mark.parametrize(
    "source",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "timezone.now()",
        "django.utils.timezone.localdate()",
        "from django.utils.timezone import now",
    ],
)
def test_a_naive_clock_is_caught(source):
    assert len(house.naive_clocks("patients.search", source)) == 1
    assert house.naive_clocks("clinic.times", source) == []


@pytest.mark.parametrize(
    "source",
    [
        "from django.db.models.signals import post_save",
        "from django.dispatch import receiver",
        "class Visit(Model):\n    def save(self, *args):\n        notify()",
    ],
)
def test_hidden_work_is_caught(source):
    assert len(house.hidden_work("patients.models", source)) == 1


@pytest.mark.parametrize(
    "markup",
    [
        "<script>go()</script>",
        '<script type="module">go()</script>',
        "<style>p {}</style>",
        '<p class="x" style="color: red">',
        '<button\n  onclick="go()">',
        '<div hx-on:click="go()">',
        '<a href="javascript:go()">',
    ],
)
def test_inline_code_is_caught(markup):
    assert len(house.inline_code("patients/templates/patients/x.html", markup)) == 1


@pytest.mark.parametrize(
    "markup", ['<script type="module" src="x.js"></script>', '<p data-style="x">on=1</p>', "{# <style> #}"]
)
def test_what_is_not_inline_is_left_alone(markup):
    assert house.inline_code("patients/templates/patients/x.html", markup) == []


def test_a_time_that_loses_its_zone_is_caught():
    assert len(house.zoneless_times("x.html", '{{ at|date:"g:i A T" }}')) == 1
    assert house.zoneless_times("x.html", '{{ at|date:"g:i A e" }}, {{ at|date:"Y-m-d" }} AT') == []


def test_a_module_without_a_name_of_its_own_is_caught():
    assert len(house.nameless_module("patients.utils", "")) == 1
