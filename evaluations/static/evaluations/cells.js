// The cell of one finding: its controls read and written in the shape of the API, and what is said beside it.
const NUMBER = /^-?\d{1,9}(\.\d{1,4})?$/;

export const control = (cell) => cell.querySelector(".cell-value, summary");
const value = (cell) => cell.querySelector(".cell-value");
export const isNumber = (cell) => ["integer", "decimal"].includes(cell.dataset.kind);
export const labelOf = (cell) => control(cell).getAttribute("aria-label") ?? control(cell).querySelector(".visually-hidden").textContent.replace(/: $/, "");
export const directionOf = (cell) => cell.querySelector(".direction");

export function placeOf(name) {
  const [code, inside] = name.slice(0, -1).split("[");
  return { code, qualifiers: Object.fromEntries(inside ? inside.split(",").map((pair) => pair.split("=")) : []) };
}

/** A choice in the words of the field, as its option or its box has them; anything else as it is. */
export function wordsOf(cell, choice) {
  const option = [...cell.querySelectorAll(".cell-value option, .several-list input")].find((one) => one.value === choice);
  return option ? (option.label || option.parentElement.textContent).trim() : choice;
}

export function typed(cell) {
  if (cell.dataset.kind === "choices") return [...cell.querySelectorAll("input:checked")].map((box) => box.value);
  return value(cell).value.trim();
}

export const isEmpty = (cell) => typed(cell).length === 0;

function several(cell, text) {
  if (!cell.dataset.several) return null;
  const words = text.split(/[\s,;/]+/).filter(Boolean);
  return words.length > 1 && words.every((word) => NUMBER.test(word)) ? words.map(Number) : null;
}

function asSent(cell) {
  const raw = typed(cell);
  if (cell.dataset.kind === "yes_no") return raw === "" ? null : raw === "yes";
  if (isNumber(cell)) return raw === "" ? null : NUMBER.test(raw) ? Number(raw) : raw;
  return raw === "" && cell.dataset.kind !== "listing" ? null : raw;
}

/** Whether something is recorded that counts: not refused by the server, and no readings that come to no value yet. */
export const isSaid = (cell) => Boolean(cell.dataset.status) && !("unsettled" in cell.dataset) && !cell.classList.contains("is-invalid");

/** What the server made of readings: no value until three in a row agree. */
export function settleReadings(cell, kept) {
  cell.toggleAttribute("data-unsettled", Boolean(kept?.readings?.length) && kept.status !== "assessed");
}

/** The finding as it would be sent; null when nothing is recorded. */
export function finding(cell) {
  const { status = "", reason = "", note = "" } = cell.dataset;
  if (!status) return null;
  const found = { ...placeOf(cell.dataset.cell), status, value: null, reason, note };
  const readings = isNumber(cell) && several(cell, typed(cell));
  if (readings) return { ...found, status: "assessed", readings };
  if (status !== "assessed") return found;
  found.value = asSent(cell);
  if (directionOf(cell) && found.value !== null) found.direction = found.value === 0 ? "none" : directionOf(cell).value;
  return found;
}

/** What is still to be typed before it can be saved. */
export function unfinished(cell) {
  const found = finding(cell);
  return found?.direction === "" ? `Say ${cell.dataset.directions.replace(" ", " or ")}.` : "";
}

/** Put the words of a value in the control: text, or choices with commas between. */
export function type(cell, text) {
  if (cell.dataset.kind === "choices") {
    const chosen = text.split(",");
    for (const box of cell.querySelectorAll("input")) box.checked = chosen.includes(box.value);
  } else value(cell).value = text;
}

const words = (found) => (found.value === true ? "yes" : found.value === false ? "no" : String(found.value ?? ""));

/** Show a finding as the server has it; null empties the cell. */
export function show(cell, found) {
  for (const name of ["status", "reason", "note"]) {
    if (found?.[name]) cell.dataset[name] = found[name];
    else delete cell.dataset[name];
  }
  type(cell, found?.readings?.length ? found.readings.join(" ") : found ? words(found) : "");
  if (directionOf(cell)) directionOf(cell).value = found?.direction ?? "";
  settle(cell);
  settleReadings(cell, found);
}

export function setStatus(cell, status, reason = "") {
  if (status !== "assessed") type(cell, "");
  if (status) cell.dataset.status = status;
  else delete cell.dataset.status;
  if (reason) cell.dataset.reason = reason;
  else delete cell.dataset.reason;
  settle(cell);
}

/** What hangs on the value: the direction none of a zero, the words of a list, the status in words. */
export function settle(cell) {
  const { status = "", kind } = cell.dataset;
  const direction = directionOf(cell);
  if (direction && status === "assessed" && Number(typed(cell) || NaN) === 0) direction.value = "none";
  else if (direction && (direction.value === "none" || !status)) direction.value = "";
  passBy(cell);
  if (kind === "choices") {
    const said = typed(cell).map((one) => wordsOf(cell, one)).join(", ");
    cell.querySelector(".several-words").textContent = said || (status === "assessed" ? "none" : "");
  }
  cell.querySelector(".last")?.toggleAttribute("hidden", Boolean(status));
  cell.classList.remove("is-invalid", "is-unusual");
  cell.removeAttribute("data-unsettled");
  control(cell).removeAttribute("aria-invalid");
  say(cell, ["", "assessed"].includes(status) ? "" : status === "deferred_unsafe" ? "deferred for safety" : status.replaceAll("_", " "));
}

/** The Tab goes from number to number, and over a direction only where one is still to be said. */
export function passBy(cell) {
  const direction = directionOf(cell);
  if (direction) direction.tabIndex = cell.dataset.status === "assessed" && direction.value === "" ? 0 : -1;
}

export function say(cell, text, mark = "") {
  cell.querySelector(".says").textContent = text;
  if (mark) cell.classList.add(mark);
  if (mark === "is-invalid") control(cell).setAttribute("aria-invalid", "true");
}

export function inWords(cell, found) {
  if (!found) return "not recorded";
  if (found.readings?.length) return found.readings.join(" ");
  if (found.status !== "assessed") return `${found.status.replaceAll("_", " ")}${found.reason ? `: ${found.reason}` : ""}`;
  const said = Array.isArray(found.value) ? found.value.map((one) => wordsOf(cell, one)).join(", ") || "none" : wordsOf(cell, words(found)) || "no listing";
  return [said, found.direction === "none" ? "" : found.direction, found.note && `(${found.note})`].filter(Boolean).join(" ");
}
