// What a finding's cell holds: read from its controls in the shape of the API.
export const control = (cell, kind) => cell.querySelector(`[name$="${kind}"]`);
export const note = (cell, text) => { cell.querySelector(".finding-note").textContent = text; };

export function typed(cell) {
  const kind = cell.dataset.kind;
  if (kind === "choices") return [...cell.querySelectorAll("input:checked")].map((box) => box.value);
  const text = control(cell, "value").value.trim();
  if (kind === "yes_no") return text === "" ? null : text === "yes";
  if (kind !== "integer" && kind !== "decimal") return text === "" && kind !== "listing" ? null : text;
  if (text === "") return null;
  return /^-?\d{1,9}(\.\d{1,4})?$/.test(text) ? Number(text) : text;
}

export function finding(cell) {
  const status = control(cell, "status").value || "not_assessed";
  const raw = typed(cell);
  const empty = raw === "" || raw === null || raw.length === 0;
  const value = status !== "assessed" && empty ? null : raw;
  const sent = { code: cell.dataset.code, qualifiers: JSON.parse(cell.dataset.qualifiers), status, value };
  sent.reason = control(cell, "reason").value.trim();
  const direction = control(cell, "direction");
  if (direction && value !== null) sent.direction = value === 0 ? "none" : direction.value;
  return sent;
}

export function plain(cell) {
  cell.toggleAttribute("data-plain", ["", "assessed"].includes(control(cell, "status").value) && !control(cell, "reason").value);
}
