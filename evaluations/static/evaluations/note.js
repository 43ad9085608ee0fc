// The page of a visit note: what is typed is kept, saved after a pause, and grey values are taken over by a key.
// Without this module the page is a form with a Save button.
import { startConflict } from "./conflict.js";
import { openDraft } from "./drafts.js";
import { guardLeaving } from "./leaving.js";
import * as items from "./note_items.js";
import { startNoteKeys } from "./note_keys.js";
import { startNoteSpine } from "./note_spine.js";
import { refreshFlags } from "./open_flags.js";
import { startSaving } from "./saving.js";

const form = document.getElementById("note-form"), state = document.getElementById("save-state"), help = document.getElementById("note-keys");
const field = (code) => form.querySelector(`[data-field="${code}"]`);
const read = (code) => items.read(field(code));

// Rows that only matter with another answer.
const NEEDED = {
  not_adjusted_reason: () => read("not_adjusted") === true,
  ...Object.fromEntries(["what", "when", "action"].map((one) => [`reaction_${one}`, () => ![null, "none"].includes(read("reaction"))])),
};

function settle() {
  for (const [code, isNeeded] of Object.entries(NEEDED)) field(code).hidden = !isNeeded() && read(code) === null;
  for (const item of form.querySelectorAll("[data-suggested]")) item.querySelector(".last").hidden = items.read(item) !== null;
  for (const said of form.querySelectorAll("[data-before]")) compare(said);
}

/** Before and after beside each other, with how much it changed. */
function compare(said) {
  const item = items.itemOf(said), before = read(said.dataset.before), now = items.read(item);
  const unit = item.querySelector(".unit")?.textContent.replace("0–10", "") ?? "";
  const change = typeof before === "number" && typeof now === "number" ? Math.round((now - before) * 10) / 10 : null;
  const words = change === null ? (before !== null && before === now ? "no change" : "") : change === 0 ? "no change" : `${change > 0 ? "+" : "−"}${Math.abs(change)} ${unit}`.trim();
  said.textContent = before === null ? "" : `before: ${items.inWords(field(said.dataset.before), before)}${unit && ` ${unit}`} `;
  if (words) said.append(Object.assign(document.createElement("strong"), { textContent: words }));
}

function touched(item) {
  saving.touch(item);
  settle();
  spine?.draw();
}

const saving = startSaving({
  form,
  draft: openDraft(form.dataset.user, `note.${form.dataset.note}`),
  items,
  rest: () => ({ content: {} }),
  report: {
    state(text, mark = "") { state.textContent = text; state.className = `save-state ${mark}`; },
    saved,
    conflict: (rows, detail) => showConflict(rows, detail),
    merged() { settle(); spine?.draw(); },
  },
});
const showConflict = startConflict(items, saving.choose);
const spine = startNoteSpine({ form, touch: touched });
let flags = form.dataset.flags;

function saved(sent, answer) {
  for (const { item, value, kept } of sent) if (!items.same(value, kept)) items.write(item, kept);
  for (const letter of document.querySelectorAll("[data-letter]")) {
    const holds = answer.part[letter.dataset.letter];
    letter.classList.toggle("is-yes", holds === true);
    letter.lastChild.textContent = holds === null ? " ?" : holds ? " yes" : " no";
  }
  document.getElementById("copied").hidden = !answer.is_copied;
  settle();
  const open = answer.open_red_flags.join(" ");
  if (open !== flags) refreshFlags();
  flags = open;
}

form.addEventListener("input", ({ target }) => { const item = items.itemOf(target); if (item) touched(item); });
form.addEventListener("submit", (event) => { event.preventDefault(); saving.flush(); });
const keys = startNoteKeys({ form, touch: touched, spine, help: () => help.showModal() });
const button = document.getElementById("bar-keys");
button.hidden = false;
button.addEventListener("click", () => help.showModal());
guardLeaving(saving);
saving.restore();
settle();
spine.draw();
const asked = location.hash.startsWith("#field-") && field(location.hash.slice(7));
requestAnimationFrame(() => (asked ? (items.control(asked) ?? asked.querySelector("input")).focus() : keys.goOn(form.querySelector("[name=version]"))));
