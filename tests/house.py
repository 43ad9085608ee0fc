"""The rules of the house as checkers: source text in, sentences about what is wrong out (none = in order).

`tests/test_house.py` runs each over the whole repository, and over a planted mistake to see that it would be caught.
"""

import ast
import re
from itertools import pairwise
from pathlib import Path

from django.conf import settings

ROOT = settings.ROOT
LAYERS = settings.LAYERS

# Which modules may write a table: the rules that own it. What may write anything is in EXEMPT.
WRITERS = {
    "User": {
        "clinic.models",
        "locations.management.commands.create_owner",
        "locations.staffing",
        "evaluations.brought_in",
    },
    "AuditEntry": {"clinic.audit"},
    "Message": {"clinic.outbox", "clinic.delivery", "clinic.delivery_reports"},
    "MessagePart": {"clinic.outbox"},
    "Link": {"clinic.tokens"},
    "ApiToken": {"clinic.tokens"},
    "IdempotentRequest": {"clinic.rest"},
    "Heartbeat": {"clinic.heartbeats"},
    "AddressFault": {"clinic.undeliverable"},
    "Location": {"locations.places"},
    "Room": {"locations.rooms", "locations.places"},
    "OpeningHours": {"locations.opening", "locations.places"},
    "Closure": {"locations.opening"},
    "MailHours": {"locations.mail_hours"},
    "MailRule": {"locations.mail_rules"},
    "TravelTime": {"locations.places"},
    "StaffAssignment": {"locations.management.commands.create_owner", "locations.staffing"},
    "Invitation": {"locations.staffing"},
    "Practitioner": {"locations.staffing", "careplans.chart_file"},
    "Patient": {"patients.registering"},
    "SearchTerm": {"patients.registering"},
    "ChartOpening": {"patients.chart_opening"},
    "Consent": {"patients.registering"},
    "StoppedMail": {"patients.mail_choices"},
    "Guardian": {"patients.chart_file"},
    "Intake": {"patients.intake"},
    "DiaryEntry": {"patients.diary"},
    "DiaryWindow": {"patients.diary"},
    "ConsentForm": {"patients.chart_file", "patients.consenting"},
    "ImportedChart": {"patients.chart_file"},
    "AppointmentType": {"appointments.visit_types"},
    "WeeklyHours": {"appointments.timetable.working_hours"},
    "ExtraHours": {"appointments.timetable.working_hours"},
    "TimeOff": {"appointments.timetable.working_hours"},
    "Appointment": {"appointments.booking", "appointments.together", "appointments.visit_status"},
    "Hold": {"appointments.booking", "appointments.holds"},
    "AppointmentEvent": {"appointments.booking", "appointments.visit_status"},
    "FollowUp": {"appointments.mails.follow_ups"},
    "BookingRequest": {"appointments.online.public_booking"},
    "Series": {"appointments.recurring.series"},
    "SeriesVisit": {"appointments.recurring.series"},
    "WaitlistEntry": {"appointments.waiting.waitlist"},
    "Offer": {"appointments.waiting.offers"},
    "OfferRules": {"appointments.waiting.offers"},
    "ReminderSchedule": {"appointments.mails.reminder_steps"},
    "ReminderStep": {"appointments.mails.reminder_steps"},
    "Evaluation": {
        "evaluations.recording",
        "evaluations.intake.history_taking",
        "evaluations.signing",
        "evaluations.withdrawing",
        "evaluations.brought_in",
    },
    "Withdrawal": {"evaluations.withdrawing"},
    "Finding": {"evaluations.finding_rows"},
    "SaveOperation": {"evaluations.recording"},
    "Addendum": {"evaluations.signing", "evaluations.brought_in"},
    "VisitNote": {"evaluations.notes.visit_notes", "evaluations.notes.note_signing"},
    "NoteOperation": {"evaluations.notes.visit_notes"},
    "NoteAddendum": {"evaluations.notes.note_signing"},
    "Incident": {"evaluations.safety.incidents"},
    "IncidentStep": {"evaluations.safety.incidents"},
    "RedFlagAnswer": {"evaluations.safety.red_flags", "evaluations.brought_in"},
    "RedFlagEvent": {"evaluations.safety.red_flags", "evaluations.brought_in"},
    "SelfIntake": {"evaluations.intake.self_intake"},
    "IntakeAsk": {"evaluations.intake.intake_asks"},
    "CarePlan": {"careplans.planning", "careplans.chart_file"},
    "PlanEvent": {"careplans.planning", "careplans.chart_file"},
    "PlanVersion": {"careplans.versions"},
    "HomeAnswer": {"careplans.home_programme"},
    "PlanTemplate": {"careplans.plan_templates"},
    "PlanTemplateVersion": {"careplans.plan_templates"},
    "Reevaluation": {"careplans.reevaluating"},
    "Agreement": {"careplans.planning"},
    "Discharge": {"careplans.discharging", "careplans.chart_discharge"},
    "Phase": {"careplans.planning", "careplans.chart_file"},
    "Goal": {"careplans.planning", "careplans.chart_file"},
    "Intervention": {"careplans.planning", "careplans.chart_file"},
}
# Demo data and migrations fill tables in bulk before anybody works with them.
EXEMPT = re.compile(r"\.migrations\.|\.demo(\.|_|$)|\.management\.commands\.(demo|import_)|^tests\.|^benchmarks\.")
WRITES = {
    "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "update", "delete",
    "acreate", "aupdate", "adelete",
}  # fmt: skip
NAIVE_CLOCK = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("timezone", "now"), ("timezone", "localdate"), ("timezone", "localtime"),
}  # fmt: skip
NO_NAMES = {"utils", "helpers", "common", "core", "misc", "services", "selectors", "manager", "base"}
MAX_FILE, MAX_FUNCTION, MAX_TEMPLATE, MAX_SCRIPT = 500, 60, 150, 150


# --- reading the repository


def files(pattern: str, *roots: str) -> list[Path]:
    """Files of the seven packages (or the roots named), migrations left out."""
    found = (path for root in roots or LAYERS for path in sorted((ROOT / root).rglob(pattern)))
    return [path for path in found if "migrations" not in path.parts and "__pycache__" not in path.parts]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def over_files(check, pattern: str, *roots: str) -> list[str]:
    """Run `check(module or path, source)` over the files."""
    wrong = []
    for path in files(pattern, *roots):
        name = module_of(path) if pattern == "*.py" else str(path.relative_to(ROOT))
        wrong += check(name, path.read_text(encoding="utf-8"))
    return wrong


def _layer(name: str) -> str:
    return re.split(r"[./]", name)[0]


def _points_up(here: str, there: str) -> bool:
    return there in LAYERS and here in LAYERS and LAYERS.index(there) > LAYERS.index(here)


# --- (a) one direction


def imports(tree: ast.AST):
    """(line, module) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module


def upward_imports(module: str, source: str) -> list[str]:
    return [
        f"{module}:{line} imports {target}; {_layer(module)} is below {_layer(target)}"
        for line, target in imports(ast.parse(source))
        if _points_up(_layer(module), _layer(target))
    ]


def upward_foreign_keys(models) -> list[str]:
    return [
        f"{model._meta.label}.{field.name} points at {field.related_model._meta.label}, which is above it"
        for model in models
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model
        if _points_up(model._meta.app_label, field.related_model._meta.app_label)
    ]


TEMPLATE_TAG = re.compile(r"{%\s*(extends|include|static|url)\s+['\"]([^'\"]+)['\"]")


def upward_template_tags(path: str, source: str, owners: dict[str, str]) -> list[str]:
    """`owners`: the package of each url name."""
    wrong = []
    for tag, target in TEMPLATE_TAG.findall(source):
        there = owners.get(target, "") if tag == "url" else _layer(target)
        if _points_up(_layer(path), there):
            wrong.append(f"{path}: {{% {tag} '{target}' %}} belongs to {there}, which is above it")
    return wrong


def upward_addresses(module: str, source: str, owners: dict[str, str]) -> list[str]:
    """`reverse("name")` and `redirect("name")` of a package above."""
    wrong = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        there = owners.get(node.args[0].value, "") if called in {"reverse", "reverse_lazy", "redirect"} else ""
        if _points_up(_layer(module), there):
            wrong.append(f"{module}:{node.lineno} {called}s to {node.args[0].value}, an address of {there} above it")
    return wrong


# --- (b) one writer


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _chain(node: ast.AST) -> list[str]:
    """`Visit.objects.filter(…).update` → ["Visit", "objects", "filter", "update"]."""
    names = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            return [*([node.id] if isinstance(node, ast.Name) else []), *names[::-1]]


def _written(chain: list[str], related: dict[str, set[str]]) -> set[str]:
    """The models a call may write, by its words: the class itself, a related name, or a variable named after it."""
    *before, verb = chain
    if verb in WRITES:
        managers = {"objects", "_base_manager", "_default_manager"}
        for model, manager in pairwise(before):
            if manager in managers and model in WRITERS:
                return {model}
        for word in reversed(before[1:]):
            if word in related:
                return related[word]
    if verb in {"save", "delete"} and before:
        return {model for model in WRITERS if before[-1] in {_snake(model), model}}
    return set()


def foreign_writes(module: str, source: str, related: dict[str, set[str]]) -> list[str]:
    """Writes to a table by a module that is not among its writers.

    `related`: the models behind each related_name. A name that two tables share is allowed to the writers of either.
    """
    if EXEMPT.search(module):
        return []
    wrong = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        chain = _chain(node)
        models = _written(chain, related)
        if models and not any(module in WRITERS[model] for model in models):
            owners = sorted(set().union(*(WRITERS[m] for m in models))) or ["clinic.records"]
            table = " or ".join(sorted(models))
            wrong.append(f"{module}:{node.lineno} {'.'.join(chain)}() writes {table}; ask {' or '.join(owners)}")
    return wrong


def related_names(models) -> dict[str, set[str]]:
    found = {}
    for model in models:
        for relation in model._meta.related_objects:
            if relation.one_to_many and relation.related_model.__name__ in WRITERS:
                found.setdefault(relation.get_accessor_name(), set()).add(relation.related_model.__name__)
    return found


# --- (c) sizes


def too_long(path: str, source: str, most: int) -> list[str]:
    lines = source.count("\n")
    return [f"{path} has {lines} lines; at most {most}"] if lines > most else []


def long_functions(module: str, source: str) -> list[str]:
    return [
        f"{module}.{node.name} has {node.end_lineno - node.lineno + 1} lines; at most {MAX_FUNCTION}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= MAX_FUNCTION
    ]


# --- (d) one clock


def naive_clocks(module: str, source: str) -> list[str]:
    """Every reading of a clock outside clinic.times, by call or by import."""
    if module == "clinic.times":
        return []
    wrong = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            words = tuple(_chain(node)[-2:])
            if words in NAIVE_CLOCK:
                wrong.append(f"{module}:{node.lineno} {'.'.join(words)}(); ask clinic.times")
        elif isinstance(node, ast.ImportFrom) and node.module == "django.utils.timezone":
            wrong.append(f"{module}:{node.lineno} imports from django.utils.timezone; ask clinic.times")
    return wrong


# --- (e) nothing hidden


def hidden_work(module: str, source: str) -> list[str]:
    """Signals, and models that do more than store when they are saved."""
    tree = ast.parse(source)
    wrong = [
        f"{module}:{line} imports {target}: call the rule instead of a signal"
        for line, target in imports(tree)
        if target == "django.dispatch" or target.endswith(".signals")
    ]
    in_models = ".models" in f".{module}"
    for node in ast.walk(tree) if in_models else ():
        if isinstance(node, ast.ClassDef):
            wrong += [
                f"{module}:{part.lineno} {node.name}.{part.name}(): work belongs to a rule, not to a model's save"
                for part in node.body
                if isinstance(part, ast.FunctionDef) and part.name in {"save", "delete"}
            ]
    return wrong


INLINE = {
    "a script without src": re.compile(r"<script(?![^>]*\ssrc\s*=)", re.I),
    "a style element": re.compile(r"<style\b", re.I),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.I),
    "an event handler": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:\w-]*)\s*=", re.I),
    "a javascript: address": re.compile(r"javascript:", re.I),
}


def inline_code(path: str, source: str) -> list[str]:
    """What the Content-Security-Policy would refuse. Mails have no policy and need their styles inline."""
    if "/mail/" in path or "/mails/" in path:
        return []
    source = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", source, flags=re.S)
    return [f"{path} has {what}" for what, pattern in INLINE.items() if pattern.search(source)]


ZONELESS = re.compile(r"""date:["'](?!DATE_FORMAT)[^"']*(?<!\\)T""")


def zoneless_times(path: str, source: str) -> list[str]:
    """Django's `T` shows nothing in the hour that the clock repeats; `e` names the zone there too."""
    return [f"{path} formats a time with T; use e"] if ZONELESS.search(source) else []


def nameless_module(module: str, source: str) -> list[str]:
    name = module.rsplit(".", 1)[-1]
    return [f"{module}: a module called {name} has not found its home"] if name in NO_NAMES else []
