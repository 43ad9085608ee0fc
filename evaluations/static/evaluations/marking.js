// What one key says of a finding: normal, the same as last time, refused, a step more.
import * as cells from "./cells.js";
import { placeOf } from "./cells.js";
import * as items from "./items.js";

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
    /** Nothing is recorded here any more. */
    clear(cell) {
      cells.setStatus(cell, "");
      touch(cell);
    },
    /** This finding on both sides; what is recorded on the other side stays. False where no single value is normal. */
    normal(cell) {
      if (!normalise(cell)) {
        cells.say(cell, "Measure it: no single value is normal.");
        return false;
      }
      const other = otherSide(cell);
      if (other && !other.dataset.status) normalise(other);
      return true;
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
      for (const item of section.querySelectorAll(":is(input[data-measure], [data-items])[data-expected]")) {
        if (items.isSaid(item) || items.read(item) !== null) continue;
        items.ask(item, false);
        touch(item);
      }
    },
    asLast(cell) {
      if (cell.dataset.last === undefined) return cells.say(cell, "Nothing was recorded here last time.");
      return put(cell, cell.dataset.last, cell.dataset.lastDirection ?? "");
    },
    step(cell, up) {
      const { min, max, step } = cell.dataset, typed = cells.typed(cell);
      if (typed === "") return cells.say(cell, "Type what was measured: the arrows step it.");
      if (Number.isNaN(Number(typed))) return;
      const next = Number(typed) + (up ? 1 : -1) * Number(step), places = (step.split(".")[1] ?? "").length;
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
