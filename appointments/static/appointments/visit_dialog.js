/** The dialog of a visit: its facts, the steps that can be taken, and moving it by a form. */

import { clock, element, spokenDay, wall } from "./visit_card.js";

const dialog = document.getElementById("visit-dialog");
const form = document.getElementById("visit-dialog-move");

function options(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, name]) => new Option(name, value, false, String(value) === String(chosen))));
}

/** `addresses(visit)` gives its pages; `step(visit, name)` and `move(visit, fields)` are called when one is chosen. */
export function makeDialog(columns, { addresses, step, move }) {
  let shown = null;

  function people(chosen) {
    const here = { ...columns.data.locations[form.location.value].people };
    const column = columns.data.columns[shown.column];
    if (columns.data.by === "practitioner") here[column.key] ??= column.title;
    const byName = Object.entries(here).sort(([, one], [, other]) => one.localeCompare(other));
    options(form.practitioner, byName, chosen);
    const { zone } = columns.data.groups.find(({ location }) => location === form.location.value);
    document.getElementById("move-zone").textContent = `(${zone})`;
  }

  /** In the hour that comes twice the form asks which is meant; a visit that is there already has said so. */
  function askWhich(chosen = form.zone.value) {
    const [hour, minute] = form.time.value.split(":").map(Number);
    const at = hour * 60 + minute;
    const { twice } = columns.data.locations[form.location.value];
    const hit = twice.find(({ day, from, until }) => day === form.day.value && from <= at && at < until);
    document.getElementById("move-which").hidden = !hit;
    form.zone.disabled = !hit;
    if (!hit) return;
    const [first, second] = hit.zones;
    const named = [["", "Choose"], [first, `The first, ${clock(at)} ${first}`], [second, `The second, ${clock(at)} ${second}`]];
    options(form.zone, named, chosen);
  }

  function open(visit, movable) {
    shown = visit;
    const { group } = columns.data.columns[visit.column];
    const place = columns.data.locations[group.location];
    const type = columns.data.types[visit.type];
    document.getElementById("visit-dialog-title").textContent = visit.patient;
    document.getElementById("visit-dialog-facts").textContent =
      `${type.name}, ${clock(visit.from)} to ${clock(visit.from + visit.minutes)} ${visit.zone ?? group.zone}, ${spokenDay(group.day)}. ` +
      `${place.name}, ${visit.room}. ${columns.data.statuses[visit.status]}.`;
    document.getElementById("visit-dialog-open").href = addresses(visit).page;
    document.getElementById("visit-dialog-steps").replaceChildren(...(place.may_change ? steps(visit) : []));
    form.hidden = !movable;
    form.action = addresses(visit).move;
    form.location.value = group.location;
    people(visit.practitioner);
    form.day.value = group.day;
    form.time.value = wall(visit.from);
    askWhich(visit.zone ?? "");
    Object.assign(form.minutes, { value: visit.minutes, min: type.least, max: type.most, readOnly: type.least === type.most });
    dialog.showModal();
  }

  function steps(visit) {
    const { group } = columns.data.columns[visit.column];
    const open = columns.data.steps[visit.status].filter((one) => !(one.on_the_day && group.is_ahead));
    return open.map(({ name, label }, n) => {
      const button = element("button", `btn btn-sm ${n ? "btn-outline-secondary" : "btn-primary"}`, label);
      button.type = "button";
      button.addEventListener("click", () => {
        dialog.close();
        step(visit, name);
      });
      return button;
    });
  }

  form.location.addEventListener("change", () => people(null));
  form.addEventListener("change", ({ target }) => [form.location, form.day, form.time].includes(target) && askWhich());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    const { csrfmiddlewaretoken: _, ...fields } = Object.fromEntries(new FormData(form));
    move(shown, fields);
  });
  return open;
}
