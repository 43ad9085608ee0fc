// The page of an evaluation: what is typed is kept, saved after a pause, and answered with what follows from it.
// Without this module the page is a form with a Save button.
import { startBar } from "./bar.js";
import * as cells from "./cells.js";
import { startConflict } from "./conflict.js";
import { openDraft } from "./drafts.js";
import { startFollowing } from "./following.js";
import * as items from "./items.js";
import { startKeys } from "./keys.js";
import { guardLeaving } from "./leaving.js";
import { marking } from "./marking.js";
import { startMuscles, startPictures } from "./muscles.js";
import { goTo, isMissing, stops } from "./moving.js";
import { refreshFlags } from "./open_flags.js";
import { startSaving } from "./saving.js";
import { startSpine } from "./spine.js";

const form = document.getElementById("evaluation-form");
const state = document.getElementById("save-state");
const help = document.getElementById("entry-keys");
const asked = location.hash.replace("#part-", "");
const follow = startFollowing({ form, initial: form.querySelector(`[data-part="${CSS.escape(asked)}"]`)?.dataset.part ?? "red_flags" });

function changed(item) {
  follow.count(item.closest("[data-section]"));
  saving.touch(item);
  bar?.show();
  spine?.draw(item);
}

const saving = startSaving({
  form,
  draft: openDraft(form.dataset.user, form.dataset.evaluation),
  items,
  rest: () => ({ findings: [], section_seconds: follow.seconds() }),
  report: {
    state(text, mark = "") { state.textContent = text; state.className = `save-state ${mark}`; },
    saved,
    refused(found) { found.forEach((item) => follow.count(item.closest("[data-section]"))); spine.draw(); },
    conflict: (rows, detail) => showConflict(rows, detail),
    merged() { for (const section of form.querySelectorAll("[data-section]")) follow.count(section); spine?.draw(); },
  },
});
const showConflict = startConflict(items, saving.choose);
const bar = startBar({ form, touch: changed });
const mark = marking({ form, touch: changed });
const spine = startPictures({ spine: startSpine({ form, mark }), muscles: startMuscles({ form, mark }) });

// The kept form of what was typed: inches in the unit of the field, a listing in its grammar.
function saved(findings, answer) {
  for (const { item, value, kept, warning } of findings) {
    const typed = cells.inWords(item, value), now = cells.inWords(item, kept);
    cells.settleReadings(item, kept);
    if (value?.value !== undefined && typeof value.value === "string" && cells.isNumber(item)) {
      cells.show(item, kept);
      cells.say(item, `${typed} is ${now}`);
    } else if (item.dataset.kind === "listing" && typed !== now) cells.show(item, kept);
    if (warning) cells.say(item, warning, "is-unusual");
    follow.count(item.closest("[data-section]"));
  }
  for (const code of answer.raised) raised(form.querySelector(`[data-flag="${code}"]`));
  follow.results(answer);
  bar.show();
  spine.draw();
  const shown = [...document.querySelectorAll(".flag-list li")].map((line) => line.dataset.code);
  if (answer.open_red_flags.toSorted().join() !== shown.toSorted().join()) refreshFlags();
  if (answer.emergencies.some((code) => !emergencies.has(code))) emergency();
}

// What a value raised is answered yes, whatever was answered before.
function raised(question) {
  if (items.read(question) === "yes" || !saving.take(question, "yes")) return;
  follow.count(question.closest("[data-section]"));
}

// A sign that was not there when the page was opened fills the screen: whoever types far down sees no notice above.
const emergencies = new Set(form.dataset.emergencies.split(" "));
let isEmergency = false;
async function emergency() {
  if (isEmergency) return;
  isEmergency = true;
  await saving.whenSaved(); // what is not with the server yet is kept on this device
  location.assign(`${form.dataset.emergency}?back=${follow.current()}`);
}

form.addEventListener("input", ({ target }) => {
  const item = items.itemOf(target);
  if (!item) return;
  if (items.isFinding(item)) {
    // Nothing chosen is a finding only where normal is no choice of its own.
    const isKept = !cells.isEmpty(item) || (item.dataset.kind === "choices" && !item.dataset.normal);
    if (isKept) { item.dataset.status = "assessed"; delete item.dataset.reason; }
    else if (item.dataset.status) item.dataset.status = "not_assessed";
    cells.settle(item);
    if (item.dataset.status === "not_assessed") { delete item.dataset.status; cells.settle(item); }
  }
  else if (item.matches("[data-measure], [data-items]")) items.ask(item, true);
  const total = items.totalOfHit6(item);
  if (total) changed(total);
  changed(item);
});
form.addEventListener("submit", (event) => { event.preventDefault(); saving.flush(); });
form.addEventListener("click", ({ target }) => {
  const rest = target.closest("[data-rest]"), link = target.closest("[data-to]");
  if (rest) mark.restNormal(rest.closest("[data-section]"));
  if (link) {
    const inside = stops(form.querySelector(`[data-part="${link.dataset.to}"]`));
    if (inside.length) setTimeout(() => goTo(inside.find(isMissing) ?? inside[0]));
    else follow.enter(link.dataset.to);
  }
});
// Tab goes from number to number: what a key says as well is passed by.
for (const button of form.querySelectorAll("[data-rest]")) Object.assign(button, { hidden: false, type: "button", tabIndex: -1 });
form.querySelectorAll("[data-cell]").forEach(cells.passBy);
startKeys({ form, mark, touch: changed, bar, spine, help: () => help.showModal() });
const keys = document.getElementById("bar-keys");
keys.hidden = false;
keys.addEventListener("click", () => help.showModal());
guardLeaving(saving, () => isEmergency);
saving.restore();
spine.draw();
const part = form.querySelector(`[data-part="${CSS.escape(asked)}"]`), inside = stops(part ?? form);
const first = inside.find(isMissing) ?? (part && inside[0]);
if (first && !part) goTo(first);
// After the browser has gone to the part that the address names, and not from under whoever types already.
else if (first) requestAnimationFrame(() => { if (!form.contains(document.activeElement)) goTo(first); });
