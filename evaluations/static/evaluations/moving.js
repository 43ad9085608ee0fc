// Where the next key goes: through the findings in their order, through a table, from section to section.
import { control, isSaid } from "./cells.js";
import * as items from "./items.js";

const STOPS = ".cell-value, .several > summary, .question, .measure, .items-boxes input, #conclusion";

export const stops = (root) => [...root.querySelectorAll(STOPS)];
export const stopOf = (node) => node.closest(STOPS);

export function isMissing(stop) {
  const cell = stop.closest("[data-cell]");
  if (cell) return "expected" in cell.dataset && !isSaid(cell);
  if (stop.matches(".question")) return !stop.querySelector(":checked");
  const item = stop.closest("[data-measure][data-expected], [data-items][data-expected], [data-conclusion]");
  return item !== null && stop.value === "" && !items.isSaid(item);
}

export function goTo(stop) {
  const target = stop.matches(".question") ? stop.querySelector(":checked") ?? stop.querySelector("input") : stop;
  target.focus();
  target.select?.();
  return target;
}

export function goToCell(cell) { goTo(control(cell)); }

export function goOn(form, from) {
  const after = stops(form).filter((stop) => from.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING && !from.contains(stop));
  const inItems = from.matches(".items-boxes input") && after[0]?.matches(".items-boxes input");
  const next = inItems ? after[0] : after.find(isMissing);
  if (next) goTo(next);
  return Boolean(next);
}

export function goToSection(form, from, step) {
  const sections = [...form.querySelectorAll("[data-section]")];
  const here = sections.indexOf(from?.closest("[data-section]"));
  const section = sections[Math.min(Math.max(here + step, 0), sections.length - 1)];
  const inside = stops(section);
  goTo(inside.find(isMissing) ?? inside[0]);
}

/** The stop beside, above or below: in a table by its columns, in rows by their sides. */
export function goBeside(from, key) {
  const line = from.closest("tr, .row-of"), place = from.closest("td, .row-side");
  if (!line || !place) return;
  const across = (within) => [...within.querySelectorAll("td, .row-side")].filter((one) => stops(one).length);
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const all = across(line);
    const target = all[all.indexOf(place) + (key === "ArrowRight" ? 1 : -1)];
    if (target) goTo(stops(target)[0]);
    return;
  }
  const column = [...line.children].indexOf(place);
  let next = line;
  do {
    next = key === "ArrowDown" ? next.nextElementSibling : next.previousElementSibling;
    const target = next && stops(next.children[Math.min(column, next.children.length - 1)])[0];
    if (target) { goTo(target); return; }
  } while (next);
}
