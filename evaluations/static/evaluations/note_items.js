// Everything of a visit note that is saved: its fields and its safety questions, read and written as the API has them.
const SELECTOR = "[data-field], [data-flag]";
const PLACE = /^([CT]\d)(L|R|LEFT|RIGHT)$/i;
const PLAYS = ["normal", "mild", "moderate", "marked", "hypermobile"];
const WHOLE = ["pain", "days", "degrees"];

export const itemOf = (node) => node.closest(SELECTOR);
export const all = (form) => [...form.querySelectorAll(SELECTOR)];
export const isFinding = () => false;
export const nameOf = (item) => (item.dataset.flag ? `content.safety.${item.dataset.flag}` : `content.${item.dataset.field}`);
export const labelOf = (item) => item.querySelector(".note-label, legend").textContent.trim();
export const control = (item) => item.querySelector("select, textarea, input:not([type=radio], [type=checkbox])");
export const toFinish = "";
export const dependOnEachOther = true; // a listing fits its system, a length its side
const boxes = (item) => [...item.querySelectorAll("input")];

/** What is typed short, as a list; throws what is not understood. */
export function places(text) {
  return text.split(/[\s,;]+/).filter(Boolean).map((word) => {
    const found = word.match(PLACE);
    if (!found) throw new Error(`“${word}” is no place: type C1L or C2R.`);
    return `${found[1].toUpperCase()} ${found[2][0].toLowerCase() === "l" ? "left" : "right"}`;
  });
}

export function found(text) {
  return text.split(/[,;\n]/).map((part) => part.trim()).filter(Boolean).map((part) => {
    const [at, ...marks] = part.split(/\s+/), one = { at: places(at)[0] };
    if (!marks.length) throw new Error(`${one.at}: say what was found, such as t2.`);
    for (const mark of marks.map((word) => word.toLowerCase())) {
      const grade = mark.match(/^([tm])(-?\d)$/), plays = PLAYS.filter((play) => mark.length > 2 && mark[0] === "f" && play.startsWith(mark.slice(1)));
      if (grade) one[grade[1] === "t" ? "tenderness" : "tone"] = Number(grade[2]);
      else if (mark === "h" || mark === "h-") one.headache = mark === "h";
      else if (plays.length === 1) [one.play] = plays;
      else throw new Error(`“${mark}” is not understood: t0–t4, m-1–m3, h or h-, fmild.`);
    }
    return one;
  });
}

const short = (place) => place.replace(/ (.).*/, (_, side) => side.toUpperCase());
const shortly = (one) => [short(one.at), "tenderness" in one && `t${one.tenderness}`, "tone" in one && `m${one.tone}`,
  "headache" in one && (one.headache ? "h" : "h-"), "play" in one && `f${one.play}`].filter(Boolean).join(" ");

/** The value as it would be typed. */
export function typed(item, value) {
  if (value === null || value === undefined) return "";
  const { kind } = item.dataset;
  if (kind === "yes_no") return value ? "yes" : "no";
  if (kind === "places") return value.map(short).join(" ");
  if (kind === "findings") return value.map(shortly).join(", ");
  return String(value);
}

function parsed(kind, text) {
  if (text === "") return null;
  if (WHOLE.includes(kind)) return /^\d{1,5}$/.test(text) ? Number(text) : text;
  if (kind === "number") return /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : text;
  if (kind === "yes_no") return text === "yes";
  if (kind === "places") return places(text);
  return kind === "findings" ? found(text) : text;
}

/** What is recorded, as it would be sent; null for nothing, and the text itself where it is not understood. */
export function read(item) {
  if (item.dataset.flag) return item.querySelector(":checked")?.value ?? null;
  if (item.dataset.kind === "codes") {
    const chosen = boxes(item).filter((box) => box.checked).map((box) => box.value);
    return chosen.length ? chosen : null;
  }
  const text = control(item).value.trim();
  try { return parsed(item.dataset.kind, text); } catch { return text; }
}

export function unfinished(item) {
  if (!["places", "findings"].includes(item.dataset.kind)) return "";
  try { parsed(item.dataset.kind, control(item).value.trim()); } catch (problem) { return problem.message; }
  return "";
}

export function write(item, value) {
  if (item.dataset.flag) for (const radio of boxes(item)) radio.checked = radio.value === value;
  else if (item.dataset.kind === "codes") for (const box of boxes(item)) box.checked = (value ?? []).includes(box.value);
  else control(item).value = typed(item, value);
}

const inside = (content, item) => (item.dataset.flag ? content.safety?.[item.dataset.flag] : content[item.dataset.field]) ?? null;
export const byName = (note) => note.content;
export const stored = (item, note, content) => inside(content, item);

export function add(body, item) {
  if (item.dataset.flag) (body.content.safety ??= {})[item.dataset.flag] = read(item);
  else body.content[item.dataset.field] = read(item);
}

export function answered(sent, answer) {
  for (const one of sent.values()) one.kept = inside(answer.kept, one.item);
  return [...sent.values()];
}

/** A refusal names fields; what it says of all the questions is said at the first that was sent. */
export function faults(sent, fields) {
  return new Map(Object.entries(fields).map(([where, text]) => [sent.has(where) ? where : [...sent.keys()].find((name) => name.startsWith(`${where}.`)) ?? where, text]));
}

export function same(one, other) {
  const key = (value) => JSON.stringify(value ?? null, (_, inner) => (inner && typeof inner === "object" && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));
  return key(one) === key(other);
}

export function inWords(item, value) {
  if (value === null) return "nothing";
  if (item.dataset.flag || !control(item)?.options) return Array.isArray(value) && item.dataset.kind === "codes" ? value.join(", ") : typed(item, value);
  return [...control(item).options].find((option) => option.value === typed(item, value))?.text ?? String(value);
}

export function complain(item, text) {
  const row = item.closest(".note-row");
  row.querySelector(":scope > .says").textContent = text;
  row.classList.toggle("is-invalid", Boolean(text));
  (control(item) ?? boxes(item)[0]).toggleAttribute("aria-invalid", Boolean(text));
}
