"""Plan templates of the group: the list, a new one, a new version of one, and what it said before."""

from dataclasses import asdict

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careplans import metrics, plan_templates
from careplans.contents import stretch_of
from careplans.form_rows import filled, rows_of, show
from careplans.forms import PhaseRows, TemplateForm, TemplateGoalRows
from careplans.models import Phase, PlanTemplate
from careplans.plan_templates import Sketch
from clinic.errors import RuleBroken
from clinic.policy import requires
from evaluations import interventions
from locations import access, setup_pages

_FIRST = Sketch(
    phases=[{"kind": Phase.Kind.RELIEF, "visits_per_week": 2, "weeks": 4}],
    goals=[{"metric": "migraine_days_28", "weeks": 8}],
)


@require_GET
@requires("plan_template.read")
def listing(request):
    found = PlanTemplate.objects.prefetch_related("versions")
    rows = [{"template": one, "version": one.versions.all()[0]} for one in found]
    for row in rows:
        row["sketch"] = _read(plan_templates.sketch_of(row["version"]))
    return setup_pages.render(request, "careplans/templates.html", {"rows": rows, **_may(request)})


@require_http_methods(["GET", "POST"])
@requires("plan_template.change")
def new(request):
    return _editor(request, None, _FIRST)


@require_http_methods(["GET", "POST"])
@requires("plan_template.read", POST="plan_template.change")
def edit(request, pk):
    template = get_object_or_404(PlanTemplate, pk=pk)
    latest = plan_templates.latest(template)
    if not _may(request)["may_change"]:
        return _version_page(request, template, latest)
    return _editor(request, template, plan_templates.sketch_of(latest), latest)


@require_GET
@requires("plan_template.read")
def version(request, pk, number):
    template = get_object_or_404(PlanTemplate, pk=pk)
    return _version_page(request, template, get_object_or_404(template.versions, number=number))


@require_POST
@requires("plan_template.change")
def state(request, pk):
    template = get_object_or_404(PlanTemplate, pk=pk)
    found = plan_templates.offer(template, yes=request.POST.get("do") == "offer", by=request.user)
    messages.success(request, f"{found} is {'offered again' if found.is_offered else 'no longer offered'}.")
    return redirect("setup-plan-templates")


def _may(request):
    return {"may_change": access.can(request.user, "plan_template.change")}


def _editor(request, template, sketch, latest=None):
    data = request.POST or None
    initial = {**asdict(sketch), "name": template.name if template else ""}
    form = TemplateForm(data, initial=initial)
    if template:
        form.fields["name"].disabled = True
    sets = {
        "phases": rows_of(PhaseRows, data, "phases", sketch.phases),
        "goals": rows_of(TemplateGoalRows, data, "goals", sketch.goals),
    }
    status = 200
    if request.method == "POST":
        status = 400
        if all([form.is_valid(), *(rows.is_valid() for rows in sets.values())]):
            try:
                saved = _save(request, template, form, sets)
            except RuleBroken as broken:
                show(broken, form, sets)
                status = broken.status
            else:
                messages.success(request, f"{saved} Plans made before stay as they are.")
                return redirect("setup-plan-templates")
    context = {"form": form, **sets, "template": template, "latest": latest, "versions": _versions(template)}
    return setup_pages.render(request, "careplans/template.html", context, status=status)


def _versions(template):
    return list(template.versions.select_related("written_by").defer("sketch")) if template else []


def _save(request, template, form, sets) -> str:
    said = {name: value for name, value in form.cleaned_data.items() if name != "name"}
    rows = {name: [row.cleaned_data for row in filled(found)] for name, found in sets.items()}
    sketch = Sketch(**said, **rows)
    if template is None:
        made = plan_templates.create(form.cleaned_data["name"], sketch, by=request.user)
        return f"{made} is offered from now on."
    number = request.POST.get("version", "")
    read = int(number) if number.isascii() and number.isdigit() and len(number) < 5 else 0
    return f"{plan_templates.change(template, sketch, version=read, by=request.user)} is what is offered now."


def _version_page(request, template, found):
    context = {"template": template, "version": found, "sketch": _read(plan_templates.sketch_of(found)),
               "versions": _versions(template)}  # fmt: skip
    return setup_pages.render(request, "careplans/template_version.html", context)


def _read(sketch: Sketch) -> dict:
    """In words."""
    return {
        "aim": sketch.aim,
        "phases": [f"{Phase.Kind(one['kind']).label}: {stretch_of(one)}" for one in sketch.phases],
        "goals": [f"{metrics.METRICS[one['metric']].label}, due after {one['weeks']} weeks" for one in sketch.goals],
        "interventions": [interventions.label_of(code) for code in sketch.interventions],
        "reevaluate": f"After {sketch.reevaluate_after_visits} visits or {sketch.reevaluate_after_days} days",
        "note": sketch.note,
    }
