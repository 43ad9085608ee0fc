// The keys of the evaluation. A letter is a command only where it could not be text: in an empty or wholly selected
// number field and on a select. With Alt it is a command everywhere.
import { isNumber } from "./cells.js";
import { goBeside, goOn, goTo, goToSection, isMissing, stopOf, stops } from "./moving.js";

const ANSWERS = { y: "yes", n: "no", u: "unknown", d: "declined" };
const STATUSES = { R: "refused", A: "not_assessable", D: "deferred_unsafe", X: "not_assessed" };

function takesText(field) {
  if (!field.matches("input:not([type=radio], [type=checkbox]), textarea")) return false;
  if (!field.matches(".cell-value") || !isNumber(field.closest("[data-cell]"))) return true;
  return field.value !== "" && !(field.selectionStart === 0 && field.selectionEnd === field.value.length);
}

const letterOf = (event) => (event.code.startsWith("Key") ? event.code.slice(3) : event.key);

export function startKeys({ form, mark, touch, bar, spine, help }) {
  function inCell(event, cell, stop) {
    const letter = letterOf(event), section = cell.closest("[data-section]");
    if (event.shiftKey && letter === "N") restNormal(section, stop);
    else if (event.shiftKey && STATUSES[letter]) status(cell, stop, STATUSES[letter]);
    else if (event.shiftKey && letter === "E") bar.open();
    else if (event.shiftKey && letter === "S") spine.choose(cell);
    else if (!event.shiftKey && letter === "N" && (event.altKey || isNumber(cell) || cell.dataset.normal !== undefined)) {
      if (mark.normal(cell)) goOn(form, stop);
    } else if (event.key === "=") { mark.asLast(cell); goOn(form, stop); }
    else return false;
    return true;
  }

  // On to what has to be measured; where all is filled in the focus stays for the exceptions.
  function restNormal(section, stop) {
    mark.restNormal(section);
    const left = stops(section).find(isMissing);
    if (left && !isMissing(stop)) goTo(left);
  }

  function restLeftOut(stop) {
    mark.restNotAssessed(stop.closest("[data-section]"));
    return goOn(form, stop) || true;
  }

  function status(cell, stop, wanted) {
    mark.status(cell, wanted);
    if (["not_assessable", "deferred_unsafe"].includes(wanted)) bar.open(); // a reason is needed
    else goOn(form, stop);
  }

  function inQuestion(event, question) {
    if (event.shiftKey && letterOf(event) === "N") { mark.restNormal(question.closest("[data-section]")); return true; }
    const radio = ANSWERS[event.key] && question.querySelector(`[value=${ANSWERS[event.key]}]`);
    if (!radio) return false;
    radio.checked = true;
    radio.focus();
    touch(question);
    goOn(form, question);
    return true;
  }

  function arrows(event, cell, stop) {
    if (event.altKey) goBeside(stop, event.key);
    else if (cell && isNumber(cell) && ["ArrowUp", "ArrowDown"].includes(event.key)) mark.step(cell, event.key === "ArrowUp");
    else return false;
    return true;
  }

  function isDone(event) {
    const stop = stopOf(event.target), cell = event.target.closest("[data-cell]");
    if (event.key === "Enter" && stop && !event.target.matches("textarea")) return enter(cell, stop);
    if (event.key.startsWith("Arrow") && stop) return arrows(event, cell, stop);
    if (cell?.dataset.directions && event.target.matches(".cell-value") && /^[a-z]$/.test(event.key) && !event.altKey) {
      if (/^\s*$|\d\s*$/.test(event.target.value) && mark.direction(cell, event.key)) return true;
    }
    if (takesText(event.target) && !event.altKey) return false;
    if (event.key === "?") { help(); return true; }
    if (event.key === "[" || event.key === "]") { goToSection(form, event.target, event.key === "]" ? 1 : -1); return true; }
    if (stop && event.altKey && event.shiftKey && letterOf(event) === "X") return restLeftOut(stop);
    if (cell && stop) return inCell(event, cell, stop);
    const question = event.target.closest(".question");
    return question ? inQuestion(event, question) : false;
  }

  function enter(cell, stop) {
    const direction = cell?.querySelector(".direction");
    if (direction && cell.dataset.status === "assessed" && direction.value === "") direction.focus();
    else goOn(form, stop);
    return true;
  }

  form.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    if (event.target.matches(".direction") && event.key === "Enter") { goOn(form, event.target); event.preventDefault(); return; }
    if (!isDone(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the keys of every staff page have their own idea of N
  });
  // With the focus on the page itself, sections and the help are still at hand.
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.target !== document.body || event.ctrlKey || event.metaKey) return;
    if (event.key === "]" || event.key === "[") { goToSection(form, null, 1); event.preventDefault(); }
  });
}
