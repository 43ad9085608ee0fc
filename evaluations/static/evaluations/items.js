// Everything on the page that is saved, under one roof: findings, answers, scores, the conclusion.
import * as cells from "./cells.js";

const SELECTOR = "[data-cell], [data-flag], [data-measure], [data-items], [data-conclusion]";
const whole = (text) => (text.trim() === "" ? null : /^-?\d{1,9}$/.test(text.trim()) ? Number(text) : text.trim());
const boxes = (item) => [...item.querySelectorAll("input")];

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
  if (item.dataset.measure) return whole(item.value);
  if (!item.dataset.items) return item.value;
  const typed = boxes(item).map((box) => whole(box.value));
  return typed.some((one) => one !== null) ? typed : null;
}

export function write(item, value) {
  if (isFinding(item)) cells.show(item, value);
  else if (item.dataset.flag) for (const radio of boxes(item)) radio.checked = radio.value === value;
  else if (item.dataset.items) boxes(item).forEach((box, n) => { box.value = value?.[n] ?? ""; });
  else item.value = value ?? "";
}

/** What the server has of the item, out of its whole answer. */
export function stored(item, evaluation, findings) {
  const name = nameOf(item);
  if (isFinding(item)) return findings.get(name) ?? null;
  if (name === "conclusion") return evaluation.conclusion;
  const [group, code] = name.split(".");
  return evaluation[group][code] ?? null;
}

export function findingsByName(evaluation) {
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
  if (isFinding(item)) return cells.inWords(value);
  if (Array.isArray(value)) return value.map((one) => one ?? "–").join(" ");
  return value === null || value === "" ? "nothing" : String(value);
}

export function complain(item, text) {
  if (isFinding(item)) return cells.say(item, text, text ? "is-invalid" : "");
  const says = (item.matches("fieldset") ? item : item.parentElement).querySelector(".says");
  if (says) says.textContent = text;
  (item.matches("input, textarea") ? item : boxes(item)[0]).toggleAttribute("aria-invalid", Boolean(text));
}
