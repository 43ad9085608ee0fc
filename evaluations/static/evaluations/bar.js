// The bar at the foot: the finding one is at, its norm and last value, its status, reason and note.
import * as cells from "./cells.js";
import { goToCell } from "./moving.js";

const byId = (id) => document.getElementById(id);

export function startBar({ form, touch }) {
  const [about, detail, label, norm, last, says] = ["about", "detail", "label", "norm", "last", "says"].map((id) => byId(`bar-${id}`));
  const [status, reason, note, more] = ["status", "reason", "note", "more"].map((id) => byId(`bar-${id}`));
  let cell = null;
  more.hidden = false;

  function show() {
    about.hidden = cell === null;
    if (cell === null) return;
    label.textContent = cells.labelOf(cell);
    norm.textContent = document.getElementById(`about-${cells.placeOf(cell.dataset.cell).code}`)?.textContent ?? "";
    last.textContent = cell.dataset.last === undefined ? "" : `last: ${cell.dataset.last.split(",").map((one) => cells.wordsOf(cell, one)).join(", ") || "none"} ${cell.dataset.lastDirection ?? ""}`;
    says.textContent = cell.querySelector(".says").textContent;
    for (const [name, field] of [["status", status], ["reason", reason], ["note", note]]) {
      // Not under the cursor: what is being typed ends in a space after each word.
      if (document.activeElement !== field) field.value = cell.dataset[name] ?? "";
    }
  }

  function keep() {
    if (status.value !== (cell.dataset.status ?? "")) cells.setStatus(cell, status.value, reason.value.trim());
    for (const [name, field] of [["reason", reason], ["note", note]]) {
      if (field.value.trim()) cell.dataset[name] = field.value.trim();
      else delete cell.dataset[name];
    }
    touch(cell);
  }

  const close = () => { detail.hidden = true; if (cell) goToCell(cell); };

  detail.addEventListener("input", (event) => { event.stopPropagation(); if (cell) keep(); });
  detail.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  form.addEventListener("focusin", ({ target }) => {
    if (target.closest(".entry-bar, .entry-side")) return;
    cell = target.closest("[data-cell]");
    if (cell === null) detail.hidden = true;
    show();
  });
  const open = () => {
    if (!cell) return;
    show();
    detail.hidden = false;
    (["", "assessed", "not_assessed"].includes(status.value) ? status : reason).focus();
  };
  label.addEventListener("click", () => goToCell(cell)); // back from the drawing
  more.addEventListener("click", () => (detail.hidden ? open() : close()));
  return { open, show, cell: () => cell };
}
