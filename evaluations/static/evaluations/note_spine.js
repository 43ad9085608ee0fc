// The drawn spine of a visit note: choose a side of a segment, say what was found and whether it was treated. It writes the
// short words into the fields and is drawn from them.
import * as items from "./note_items.js";

const byId = (id) => document.getElementById(id);
const NAMES = { seg_tenderness: "tenderness", seg_tone: "tone", seg_headache_reproduced: "headache", seg_fixation: "play" };
const LEVELS = ["C0", "C1", "C2"];

export function startNoteSpine({ form, touch }) {
  const halves = [...byId("spine").querySelectorAll(".half")], panel = byId("spine-form");
  const field = (code) => form.querySelector(`[data-field="${code}"]`);
  const list = (code) => { const value = items.read(field(code)); return Array.isArray(value) ? value : []; };
  const placeOf = (half) => `${half.dataset.segment} ${half.dataset.side}`;
  const at = (half) => list("segments_found").find((one) => one.at === placeOf(half)) ?? {};
  const isTreated = (half) => list("segments").includes(placeOf(half));
  let chosen = null;

  const treated = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm btn-outline-primary" });
  treated.setAttribute("aria-keyshortcuts", "t");
  panel.prepend(treated);

  function words(half) {
    const said = Object.entries(at(half)).filter(([name]) => name !== "at").map(([name, value]) => `${name} ${value === true ? "yes" : value === false ? "no" : value}`);
    return `${placeOf(half)}: ${said.join(", ") || "nothing found"}${isTreated(half) ? ", treated" : ""}`;
  }

  function draw() {
    for (const half of halves) {
      const one = at(half);
      half.dataset.grade = one.tenderness ?? "";
      half.dataset.play = one.play ?? "";
      half.classList.toggle("is-headache", one.headache === true);
      half.classList.toggle("is-treated", isTreated(half));
      half.querySelector(".half-mark").textContent = [one.tenderness || "", isTreated(half) ? "●" : ""].join("");
      half.setAttribute("aria-label", words(half));
      half.setAttribute("aria-pressed", String(half === chosen));
      half.setAttribute("tabindex", half === (chosen ?? halves[2]) ? "0" : "-1");
    }
    panel.hidden = chosen === null;
    if (!chosen) return;
    const one = at(chosen);
    byId("spine-chosen").textContent = placeOf(chosen);
    treated.textContent = isTreated(chosen) ? "Not treated" : "Treated here";
    for (const group of panel.querySelectorAll(".spine-grades")) {
      const value = one[NAMES[group.dataset.code]];
      const text = value === true ? "yes" : value === false ? "no" : String(value ?? "");
      for (const button of group.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === text));
    }
    byId("spine-play").value = one.play ?? "";
    byId("spine-listing-label").hidden = !LEVELS.includes(chosen.dataset.segment);
    if (document.activeElement !== byId("spine-listing")) byId("spine-listing").value = items.control(field("listing_level")).value === chosen.dataset.segment ? items.read(field("listing")) ?? "" : "";
  }

  function put(code, value) {
    items.write(field(code), value);
    touch(field(code));
  }

  function say(name, value) {
    const rest = list("segments_found").filter((one) => one.at !== placeOf(chosen)), one = { ...at(chosen), at: placeOf(chosen) };
    if (value === "" || one[name] === value) delete one[name];
    else one[name] = value;
    const others = name === "play" ? rest.map((other) => (other.at.startsWith(`${chosen.dataset.segment} `) && "play" in other ? { ...other, play: value } : other)) : rest;
    put("segments_found", Object.keys(one).length > 1 ? [...others, one] : others);
  }

  function treat() {
    const places = list("segments");
    put("segments", isTreated(chosen) ? places.filter((one) => one !== placeOf(chosen)) : [...places, placeOf(chosen)]);
  }

  function choose(half = chosen ?? halves[2]) {
    chosen = half;
    draw();
    half.focus();
  }

  function move(half, key) {
    const steps = { ArrowUp: -2, ArrowDown: 2, ArrowLeft: half.dataset.side === "right" ? -1 : 0, ArrowRight: half.dataset.side === "left" ? 1 : 0 };
    const next = halves[halves.indexOf(half) + steps[key]];
    if (next) choose(next);
  }

  for (const half of halves) {
    half.setAttribute("role", "button");
    half.addEventListener("click", () => choose(half));
    half.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key.startsWith("Arrow")) move(half, event.key);
      else if (/^[0-4ht]$/.test(event.key)) {
        if (chosen !== half) choose(half);
        if (event.key === "t") treat();
        else if (event.key === "h") say("headache", true);
        else say("tenderness", Number(event.key));
      } else if (event.key === "Enter" || event.key === " ") { choose(half); treated.focus(); }
      else if (event.key === "Escape") items.control(field("segments_found")).focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  treated.addEventListener("click", treat);
  panel.addEventListener("click", ({ target }) => {
    const name = NAMES[target.parentElement.dataset.code];
    if (target.matches("button") && name) say(name, name === "headache" ? target.value === "yes" : Number(target.value));
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); chosen.focus(); } });
  byId("spine-play").addEventListener("input", (event) => { event.stopPropagation(); say("play", event.target.value); });
  byId("spine-listing").addEventListener("change", (event) => {
    event.stopPropagation();
    put("listing_level", chosen.dataset.segment);
    put("listing", event.target.value.trim() || null);
  });
  return { draw, choose };
}
