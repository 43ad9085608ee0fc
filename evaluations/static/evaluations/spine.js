// The drawn spine: choose a segment and side, say the grade. It writes into the cells of the form and is drawn from them.
import { typed } from "./cells.js";
import { goToCell } from "./moving.js";

const byId = (id) => document.getElementById(id);
const LISTINGS = { C0: "listing_c0[]", C1: "listing_c1[]", C2: "listing_c2[]" };

export function startSpine({ form, mark }) {
  const halves = [...byId("spine").querySelectorAll(".half")], panel = byId("spine-form");
  let chosen = null;
  const cellOf = (name) => form.querySelector(`[data-cell="${CSS.escape(name)}"]`);
  const cellAt = (half, code) => cellOf(`${code}[segment=${half.dataset.segment}${code === "seg_fixation" ? "" : `,side=${half.dataset.side}`}]`);
  const recorded = (cell) => (cell?.dataset.status === "assessed" ? typed(cell) : "");

  function words(half) {
    const { segment, side } = half.dataset;
    const said = [["tenderness", "seg_tenderness"], ["tone", "seg_tone"], ["headache", "seg_headache_reproduced"], ["joint play", "seg_fixation"]]
      .map(([name, code]) => [name, recorded(cellAt(half, code))]).filter(([, value]) => value !== "");
    const listing = recorded(cellOf(LISTINGS[segment] ?? "none[]"));
    return `${segment} ${side}: ${said.map((pair) => pair.join(" ")).join(", ") || "nothing recorded"}${listing ? `, listing ${listing}` : ""}`;
  }

  function drawHalf(half) {
    const grade = recorded(cellAt(half, "seg_tenderness")), play = recorded(cellAt(half, "seg_fixation"));
    half.dataset.grade = grade;
    half.dataset.play = play;
    half.classList.toggle("is-headache", recorded(cellAt(half, "seg_headache_reproduced")) === "yes");
    half.querySelector(".half-mark").textContent = grade === "0" ? "" : grade;
    half.setAttribute("aria-label", words(half));
    half.setAttribute("aria-pressed", String(half === chosen));
    half.setAttribute("tabindex", half === (chosen ?? halves[2]) ? "0" : "-1");
  }

  function drawForm() {
    panel.hidden = chosen === null;
    if (!chosen) return;
    const { segment, side } = chosen.dataset;
    byId("spine-chosen").textContent = `${segment}, ${side}`;
    for (const group of panel.querySelectorAll(".spine-grades")) {
      const value = recorded(cellAt(chosen, group.dataset.code));
      for (const button of group.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === value));
    }
    byId("spine-play").value = recorded(cellAt(chosen, "seg_fixation"));
    byId("spine-listing-label").hidden = !LISTINGS[segment];
    if (LISTINGS[segment] && document.activeElement !== byId("spine-listing")) byId("spine-listing").value = recorded(cellOf(LISTINGS[segment]));
  }

  function draw(item) {
    if (item && !/^(seg_|listing_)/.test(item.dataset.cell ?? "")) return;
    halves.forEach(drawHalf);
    drawForm();
  }

  function choose(half, focus = true) {
    chosen = half;
    draw();
    if (focus) half.focus();
  }

  const put = (code, value) => { const cell = cellAt(chosen, code); if (cell) mark.put(cell, value); };

  function move(half, key) {
    const at = halves.indexOf(half);
    const steps = { ArrowUp: -2, ArrowDown: 2, ArrowLeft: half.dataset.side === "right" ? -1 : 0, ArrowRight: half.dataset.side === "left" ? 1 : 0 };
    const next = halves[at + steps[key]];
    if (next) choose(next);
  }

  for (const half of halves) {
    half.setAttribute("role", "button");
    half.addEventListener("click", () => choose(half));
    half.addEventListener("keydown", (event) => {
      if (event.key.startsWith("Arrow")) move(half, event.key);
      else if (/^[0-4]$/.test(event.key)) { if (chosen !== half) choose(half); put("seg_tenderness", event.key); }
      else if (event.key === "h") { if (chosen !== half) choose(half); put("seg_headache_reproduced", half.classList.contains("is-headache") ? "no" : "yes"); }
      else if (event.key === "Enter" || event.key === " ") { choose(half); panel.querySelector("button").focus(); }
      else if (event.key === "Escape") goToCell(cellAt(half, "seg_tenderness"));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  panel.addEventListener("click", ({ target }) => { if (target.matches("button")) put(target.parentElement.dataset.code, target.value); });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    chosen.focus();
  });
  byId("spine-play").addEventListener("input", (event) => { event.stopPropagation(); put("seg_fixation", event.target.value); });
  byId("spine-listing").addEventListener("input", (event) => {
    event.stopPropagation();
    mark.put(cellOf(LISTINGS[chosen.dataset.segment]), event.target.value);
  });
  return {
    draw,
    /** From a cell of the form: its segment, or C1. */
    choose(cell) {
      const [, segment] = cell.dataset.cell.match(/segment=(\w+)/) ?? [null, "C1"];
      const side = cell.dataset.cell.match(/side=(\w+)/)?.[1] ?? "left";
      choose(halves.find((half) => half.dataset.segment === segment && half.dataset.side === side));
    },
  };
}
