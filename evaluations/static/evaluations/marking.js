// What one key says of a finding: normal, the same as last time, refused, a step more.
import * as cells from "./cells.js";
import { placeOf } from "./cells.js";

const OPPOSITE = { left: "right", right: "left" };
const REASONS = { refused: "Declined by the patient." };

export function marking({ form, touch }) {
  function put(cell, text, direction = "") {
    cells.setStatus(cell, "assessed");
    cells.type(cell, text);
    if (cells.directionOf(cell)) cells.directionOf(cell).value = direction;
    cells.settle(cell);
    touch(cell);
  }

  const normalise = (cell) => (cell.dataset.normal === undefined ? false : (put(cell, cell.dataset.normal), true));

  function otherSide(cell) {
    const { qualifiers: { side } } = placeOf(cell.dataset.cell);
    return side && form.querySelector(`[data-cell="${CSS.escape(cell.dataset.cell.replace(`side=${side}`, `side=${OPPOSITE[side]}`))}"]`);
  }

  return {
    put,
    /** This finding on both sides; what is recorded on the other side stays. */
    normal(cell) {
      if (!normalise(cell)) return cells.say(cell, "Measure it: no single value is normal.");
      const other = otherSide(cell);
      return other && !other.dataset.status && normalise(other);
    },
    restNormal(section) {
      if (section.dataset.section === "red_flags") {
        for (const question of section.querySelectorAll("[data-flag]")) {
          if (question.querySelector(":checked")) continue;
          question.querySelector("[value=no]").checked = true;
          touch(question);
        }
      }
      for (const cell of section.querySelectorAll("[data-cell][data-expected]:not([data-status])")) normalise(cell);
    },
    status(cell, status) {
      cells.setStatus(cell, status, REASONS[status] ?? "");
      touch(cell);
    },
    restNotAssessed(section) {
      for (const cell of section.querySelectorAll("[data-cell][data-expected]:not([data-status])")) {
        cells.setStatus(cell, "not_assessed");
        touch(cell);
      }
    },
    asLast(cell) {
      if (cell.dataset.last === undefined) return cells.say(cell, "Nothing was recorded here last time.");
      return put(cell, cell.dataset.last, cell.dataset.lastDirection ?? "");
    },
    step(cell, up) {
      const { min, max, step, start = "0" } = cell.dataset;
      const places = (step.split(".")[1] ?? "").length;
      const typed = cells.typed(cell), now = typed === "" ? Number(start) : Number(typed);
      if (Number.isNaN(now)) return;
      const next = typed === "" ? now : now + (up ? 1 : -1) * Number(step);
      const text = Math.min(Math.max(next, Number(min)), Number(max)).toFixed(places);
      put(cell, text, Number(text) === 0 ? "none" : cells.directionOf(cell)?.value.replace("none", "") ?? "");
    },
    direction(cell, letter) {
      const found = (cell.dataset.directions ?? "").split(" ").find((name) => name.startsWith(letter));
      if (!found) return false;
      cells.directionOf(cell).value = found;
      cells.control(cell).dispatchEvent(new Event("input", { bubbles: true }));
      return true;
    },
  };
}
