// The drawn muscles of head and neck: choose a muscle and side, say what was felt. It writes into the cells of the form and
// is drawn from them.
import { typed } from "./cells.js";
import { goToCell } from "./moving.js";

const byId = (id) => document.getElementById(id);
const SAID = [["tenderness", "muscle_tenderness"], ["tone", "muscle_tone"], ["trigger point", "trigger_point"], ["refers to head", "trigger_refers_to_head"], ["pressure pain threshold", "pressure_pain_threshold"]];
const TOGGLES = { t: "trigger_point", h: "trigger_refers_to_head" };

export function startMuscles({ form, mark }) {
  const bellies = [...byId("muscles").querySelectorAll(".belly")], panel = byId("muscle-form"), pressure = byId("muscle-pressure");
  let chosen = null;
  const cellAt = (belly, code) => form.querySelector(`[data-cell="${code}[muscle=${belly.dataset.muscle},side=${belly.dataset.side}]"]`);
  // What is recorded there; a status that is no value is said as it is.
  const valueAt = (belly, code) => { const cell = cellAt(belly, code); return cell?.dataset.status === "assessed" ? typed(cell) : ""; };
  const wordsAt = (belly, code) => { const { status = "" } = cellAt(belly, code)?.dataset ?? {}; return status === "assessed" ? valueAt(belly, code) : status.replaceAll("_", " "); };

  function words(belly) {
    const said = SAID.map(([name, code]) => [name, wordsAt(belly, code)]).filter(([, value]) => value !== "");
    return `${belly.dataset.name} ${belly.dataset.side}: ${said.map((pair) => pair.join(" ")).join(", ") || "nothing recorded"}`;
  }

  function drawOne(belly) {
    const grade = valueAt(belly, "muscle_tenderness"), isTrigger = valueAt(belly, "trigger_point") === "yes";
    belly.dataset.grade = grade;
    belly.dataset.tone = valueAt(belly, "muscle_tone");
    belly.classList.toggle("is-headache", valueAt(belly, "trigger_refers_to_head") === "yes");
    belly.querySelector(".half-mark").textContent = `${grade === "0" ? "" : grade}${isTrigger ? "✕" : ""}`;
    belly.setAttribute("aria-label", words(belly));
    belly.setAttribute("aria-pressed", String(belly === chosen));
    belly.setAttribute("tabindex", belly === (chosen ?? bellies[0]) ? "0" : "-1");
  }

  function drawForm() {
    panel.hidden = chosen === null;
    if (!chosen) return;
    byId("muscle-chosen").textContent = `${chosen.dataset.name}, ${chosen.dataset.side}`;
    for (const group of panel.querySelectorAll(".spine-grades")) {
      const value = valueAt(chosen, group.dataset.code);
      for (const button of group.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === value));
    }
    const told = cellAt(chosen, "pressure_pain_threshold"), isWrong = told.classList.contains("is-invalid");
    byId("muscle-says").textContent = told.querySelector(".says").textContent;
    if (isWrong) pressure.setAttribute("aria-invalid", "true");
    else pressure.removeAttribute("aria-invalid");
    if (document.activeElement !== pressure) pressure.value = valueAt(chosen, "pressure_pain_threshold");
  }

  function draw(item) {
    if (item && !item.dataset.cell?.includes("[muscle=")) return;
    bellies.forEach(drawOne);
    drawForm();
  }

  function choose(belly) {
    chosen = belly;
    draw();
    belly.focus();
  }

  const put = (code, value) => { const cell = cellAt(chosen, code); if (cell) mark.put(cell, value); };

  /** Up and down through the muscles of one side, left and right to the other side as it is drawn. */
  function move(belly, key) {
    if (key === "ArrowUp" || key === "ArrowDown") {
      const column = bellies.filter((one) => one.dataset.side === belly.dataset.side);
      const next = column[column.indexOf(belly) + (key === "ArrowDown" ? 1 : -1)];
      return next && choose(next);
    }
    const other = bellies.find((one) => one.dataset.muscle === belly.dataset.muscle && one !== belly);
    const isRightOf = other.getBoundingClientRect().left > belly.getBoundingClientRect().left;
    return isRightOf === (key === "ArrowRight") && choose(other);
  }

  for (const belly of bellies) {
    belly.setAttribute("role", "button");
    belly.setAttribute("aria-keyshortcuts", "0 1 2 3 4 T H");
    belly.addEventListener("click", () => choose(belly));
    belly.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key.startsWith("Arrow")) move(belly, event.key);
      else if (/^[0-4th]$/.test(event.key)) {
        if (chosen !== belly) choose(belly);
        if (TOGGLES[event.key]) put(TOGGLES[event.key], valueAt(belly, TOGGLES[event.key]) === "yes" ? "no" : "yes");
        else put("muscle_tenderness", event.key);
      } else if (event.key === "Enter" || event.key === " ") { choose(belly); panel.querySelector("button").focus(); }
      else if (event.key === "Escape") goToCell(cellAt(belly, "muscle_tone"));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  panel.addEventListener("click", ({ target }) => { if (target.matches("button")) put(target.parentElement.dataset.code, target.value); });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" && !(event.key === "Enter" && event.target === pressure)) return;
    event.preventDefault();
    event.stopPropagation();
    chosen.focus();
  });
  pressure.addEventListener("input", (event) => {
    event.stopPropagation();
    const cell = cellAt(chosen, "pressure_pain_threshold");
    if (pressure.value.trim()) mark.put(cell, pressure.value.trim());
    else mark.clear(cell);
  });
  return {
    draw,
    /** From a cell of the form: its muscle and side. */
    choose(cell) {
      const [, muscle] = cell.dataset.cell.match(/muscle=(\w+)/), side = cell.dataset.cell.match(/side=(\w+)/)?.[1] ?? "left";
      choose(bellies.find((one) => one.dataset.muscle === muscle && one.dataset.side === side));
    },
  };
}

/** Spine or muscles: two buttons above the drawing. */
export function startPictures({ spine, muscles }) {
  const buttons = [...document.querySelectorAll("[data-picture]")];
  function show(name) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.picture === name));
    byId("spine-picture").hidden = name !== "spine";
    byId("muscles-panel").hidden = name !== "muscles";
  }
  byId("pictures").hidden = false;
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.picture));
  return {
    draw(item) { spine.draw(item); muscles.draw(item); },
    choose(cell) {
      const isMuscle = cell.dataset.cell.includes("[muscle=");
      show(isMuscle ? "muscles" : "spine");
      (isMuscle ? muscles : spine).choose(cell);
    },
  };
}
