// The keys of a visit note: on to what is not said, grey values taken over, no to all the questions.
import * as items from "./note_items.js";

const isShown = (node) => node.checkVisibility();
const isEmpty = (item) => items.read(item) === null;

export function startNoteKeys({ form, touch, spine, help }) {
  const parts = () => [...form.querySelectorAll("[data-part]")];

  function goTo(item) {
    const target = items.control(item) ?? item.querySelector(":checked") ?? item.querySelector("input");
    target.focus();
    target.select?.();
  }

  /** The next field that a note usually says and this one does not yet; else the signature. */
  function goOn(from, within = form) {
    const next = items.all(within).find((item) => (item.dataset.usual !== undefined || item.dataset.flag) && isShown(item)
      && isEmpty(item) && from.compareDocumentPosition(item) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (next) goTo(next);
    else document.querySelector(".page-actions .btn-primary").focus();
  }

  function takeOver(item) {
    if (item.dataset.suggested === undefined || !isEmpty(item)) return false;
    if (item.dataset.kind === "codes") items.write(item, item.dataset.suggested.split(","));
    else items.control(item).value = item.dataset.suggested;
    touch(item);
    return true;
  }

  function takePart(part) {
    for (const item of part.querySelectorAll("[data-suggested]")) takeOver(item);
    goOn(part.querySelector("[data-field]"));
  }

  function allNo() {
    const open = [...form.querySelectorAll("[data-flag]")].filter(isEmpty);
    for (const item of open) { items.write(item, "no"); touch(item); }
    goOn(form.querySelector(".note-safety"));
  }

  function step(from, by) {
    const shown = parts(), here = shown.indexOf(from.closest("[data-part]"));
    const part = shown[Math.min(Math.max(here + by, 0), shown.length - 1)];
    if (part.matches("details")) part.open = true;
    goTo(part.querySelector("[data-field], [data-flag]"));
  }

  function isText(field) {
    return field.matches("textarea, input:not([type=radio], [type=checkbox])") && (field.value !== "" || field.matches("textarea"));
  }

  function isDone(event, item) {
    const { key, altKey, shiftKey, target } = event;
    if (key === "Enter") return !target.matches("textarea, button, summary") && (goOn(item), true);
    if (isText(target) && !altKey) return false;
    if (key === "+" || (event.code === "Equal" && shiftKey)) takePart(item.closest("[data-part]"));
    else if (key === "=" || event.code === "Equal") takeOver(item) && goOn(item);
    else if (shiftKey && event.code === "KeyN" && (item.dataset.flag || altKey)) allNo();
    else if (key === "[" || key === "]") step(item, key === "]" ? 1 : -1);
    else if (shiftKey && key === "S" && !target.matches("select, input:not([type=radio])")) spine.choose();
    else if (altKey && event.code === "KeyS") spine.choose();
    else if (key === "?" && !isText(target)) help();
    else if (item.dataset.flag && ["n", "y", "u", "d"].includes(key)) {
      items.write(item, { n: "no", y: "yes", u: "unknown", d: "declined" }[key]);
      touch(item);
      goOn(item);
    } else return false;
    return true;
  }

  form.addEventListener("keydown", (event) => {
    const item = items.itemOf(event.target);
    if (!item || event.ctrlKey || event.metaKey || event.isComposing || !isDone(event, item)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("[data-field]");
    if (button.name === "all_no") allNo();
    else if (row) { if (takeOver(row)) goOn(row); } else takePart(button.closest("[data-part]"));
  });
  return { goOn };
}
