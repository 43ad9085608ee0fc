// Everything on the page that is saved, under one roof: findings, answers, scores, the conclusion.
import * as cells from "./cells.js";

const SELECTOR = "[data-cell], [data-flag], [data-measure], [data-items], [data-conclusion]";
const whole = (text) => (text.trim() === "" ? null : /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : text.trim());
const boxes = (item) => [...item.querySelectorAll("input")];

const NOT_ASKED = "not_asked"; // as the API says it; it comes back as null

export const itemOf = (node) => node.closest(SELECTOR);
export const all = (form) => [...form.querySelectorAll(SELECTOR)];
export const isFinding = (item) => item.dataset.cell !== undefined;

export function nameOf(item) {
  const { cell, flag, measure, items } = item.dataset;
  return cell ?? (flag ? `red_flags.${flag}` : measure ?? items ? `measures.${measure ?? items}` : "conclusion");
}

export function labelOf(item) {
  if (isFinding(item)) return cells.labelOf(item);
  const label = item.querySelector("legend") ?? item.labels?.[0];
  return label?.firstChild.textContent.trim() ?? "Conclusion";
}

/** What is recorded, as it would be sent; null for nothing. */
export function read(item) {
  if (isFinding(item)) return cells.finding(item);
  if (item.dataset.flag) return item.querySelector(":checked")?.value ?? null;
  if ("notAsked" in item.dataset) return NOT_ASKED;
  if (item.dataset.measure) return "text" in item.dataset ? item.value.trim() || null : whole(item.value);
  if (!item.dataset.items) return item.value;
  const typed = boxes(item).map((box) => whole(box.value));
  return typed.some((one) => one !== null) ? typed : null;
}

/** Whether something is recorded that counts, that it was not asked included. */
export function isSaid(item) {
  if (isFinding(item)) return cells.isSaid(item);
  if ("notAsked" in item.dataset) return true;
  if ((boxes(item)[0] ?? item).hasAttribute("aria-invalid")) return false;
  if (!item.dataset.items) return item.value.trim() !== "";
  return boxes(item).filter((box) => box.value.trim() !== "").length >= Number(item.dataset.least);
}

/** A score that was not asked, or is again. */
export function ask(item, isAsked) {
  item.toggleAttribute("data-not-asked", !isAsked);
  for (const box of item.dataset.items ? boxes(item) : [item]) {
    box.placeholder = isAsked ? "" : item.dataset.items ? "–" : "not asked";
    if (!isAsked) box.value = "";
  }
}

/** Days that were counted need their origin: without it they are compared with nothing. */
export function askOrigin(section) {
  const isCounted = [...section.querySelectorAll("[data-counted]")].some((one) => one.value.trim() !== "");
  section.querySelector("[data-measure=counts_origin]")?.toggleAttribute("data-expected", isCounted);
}

/** The six items make the total as they are typed; the server says the same. Returns the field of the total. */
export function totalOfHit6(item) {
  if (item.dataset.items !== "hit6_items") return null;
  const total = item.closest("form").querySelector("[data-measure=hit6_total]"), typed = read(item);
  if (typed === null) return null;
  ask(total, true);
  total.value = typed.every((one) => [6, 8, 10, 11, 13].includes(one)) ? typed.reduce((sum, one) => sum + one) : "";
  return total;
}

export function write(item, value) {
  if (isFinding(item)) cells.show(item, value);
  else if (item.dataset.flag) for (const radio of boxes(item)) radio.checked = radio.value === value;
  else if (value === NOT_ASKED) ask(item, false);
  else if (item.dataset.items) boxes(item).forEach((box, n) => { box.value = value?.[n] ?? ""; });
  else item.value = value ?? "";
}

/** What the server has of the item, out of its whole answer. */
export function stored(item, evaluation, findings) {
  const name = nameOf(item);
  if (isFinding(item)) return findings.get(name) ?? null;
  if (name === "conclusion") return evaluation.conclusion;
  const [group, code] = name.split(".");
  return evaluation[group][code] ?? (group === "measures" && code in evaluation.measures ? NOT_ASKED : null);
}

export function byName(evaluation) {
  const name = ({ code, qualifiers }) => `${code}[${Object.keys(qualifiers).sort().map((key) => `${key}=${qualifiers[key]}`).join(",")}]`;
  return new Map(evaluation.findings.map((found) => [name(found), found]));
}

/** Put the item in the body of a save. */
export function add(body, item) {
  if (isFinding(item)) {
    const empty = { ...cells.placeOf(item.dataset.cell), status: "not_assessed", value: null, reason: "", note: "" };
    body.findings.push(cells.finding(item) ?? empty);
  } else if (nameOf(item) === "conclusion") body.conclusion = item.value;
  else {
    const [group, code] = nameOf(item).split(".");
    (body[group] ??= {})[code] = read(item);
  }
}

/** What is still to be typed before the item can be saved. */
export const unfinished = (item) => (isFinding(item) ? cells.unfinished(item) : "");
export const toFinish = ": left or right?";
export const dependOnEachOther = false; // what was refused is refused until it is changed itself

/** The findings of a save, each with the form in which it is kept and what is unusual about it. */
export function answered(sent, answer) {
  const findings = [...sent.values()].filter(({ item }) => isFinding(item));
  findings.forEach((one, n) => Object.assign(one, { kept: answer.kept[n], warning: answer.warnings[`findings.${n}.value`] ?? "" }));
  return findings;
}

/** What the refusal says, by name: findings are numbered in it. */
export function faults(sent, fields) {
  const findings = [...sent].filter(([, { item }]) => isFinding(item)).map(([name]) => name);
  return new Map(Object.entries(fields).map(([where, text]) => {
    const position = where.startsWith("findings.") ? Number(where.split(".")[1]) : NaN;
    return [findings[position] ?? where, text];
  }));
}

/** The same for whoever reads it: several readings stand for their value. */
export function same(one, other) {
  const key = (value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value ?? "");
    const { status, reason = "", note = "", direction = "", readings = [] } = value;
    if (readings.length) return JSON.stringify([readings, note]);
    return JSON.stringify([status, value.value, reason, note, direction]);
  };
  return key(one) === key(other);
}

export function inWords(item, value) {
  if (isFinding(item)) return cells.inWords(item, value);
  if (Array.isArray(value)) return value.map((one) => one ?? "–").join(" ");
  return value === null || value === "" ? "nothing" : String(value).replaceAll("_", " ");
}

export function complain(item, text) {
  if (isFinding(item)) return cells.say(item, text, text ? "is-invalid" : "");
  const says = (item.matches("fieldset") ? item : item.parentElement).querySelector(".says");
  if (says) says.textContent = text;
  (item.matches("input, select, textarea") ? item : boxes(item)[0]).toggleAttribute("aria-invalid", Boolean(text));
}
