/** Moving visits without a mouse: arrows go from visit to visit, M picks one up, arrows carry it, Enter puts it down. */

import { clock } from "./visit_card.js";

const FINE = 5; // minutes, with Alt; else the step of the type
const HOW = "Arrow keys move it, Shift with up or down changes its length, Enter puts it down, Escape leaves it.";

/** `find(card)` gives the visit that may be moved, or nothing; `drop(visit, target)` gets where it was put down. */
export function enableCarrying(columns, { find, begin, drop, tell }) {
  const { place } = columns;
  let carried = null;

  function pickUp(card) {
    const visit = find(card);
    if (!visit || !("movable" in card.dataset)) return tell("This visit can no longer be moved.");
    carried = { card, visit, target: visit };
    card.classList.add("is-moving");
    begin(visit);
    return tell(`${visit.patient} picked up at ${clock(visit.from)}. ${HOW}`);
  }

  function carry({ key, shiftKey, altKey }) {
    const { visit, target } = carried;
    const { step, least, most } = columns.data.types[visit.type];
    const by = (altKey ? FINE : step) * (key === "ArrowUp" ? -1 : 1);
    const next = { ...target, zone: undefined };
    if (key === "ArrowLeft" || key === "ArrowRight") next.column += key === "ArrowLeft" ? -1 : 1;
    else if (shiftKey) next.minutes = Math.min(Math.max(target.minutes + Math.sign(by) * FINE, least), most);
    else next.from += by;
    const { first_hour: first, last_hour: last } = columns.data;
    const latest = Math.max(last * 60, visit.from + visit.minutes); // one that lasts past midnight may stay so
    const fits = columns.bodies[next.column] && next.from >= first * 60 && next.from + next.minutes <= latest;
    if (!fits) return tell("That is the end of the calendar.");
    carried.target = next;
    columns.show(visit, next);
    carried.card.focus();
    carried.card.scrollIntoView({ block: "nearest", inline: "nearest" });
    const where = next.column === target.column ? "" : `, ${columns.columnName(columns.data.columns[next.column])}`;
    const length = next.minutes === target.minutes ? "" : `, ${next.minutes} minutes`;
    return tell(`${clock(next.from)}${length}${where}`);
  }

  function putDown(target) {
    const { card, visit } = carried;
    carried = null;
    card.classList.remove("is-moving");
    if (target === visit) tell(`${visit.patient} stays at ${clock(visit.from)}.`);
    drop(visit, target);
  }

  /** The visit to go to from this one: above or below in its column, or at about its height in the next. */
  function neighbour(card, key) {
    const cards = [...card.parentElement.querySelectorAll(".visit")].sort((a, b) => top(a) - top(b));
    if (key === "ArrowUp" || key === "ArrowDown") return cards[cards.indexOf(card) + (key === "ArrowUp" ? -1 : 1)];
    const step = key === "ArrowLeft" ? -1 : 1;
    const bodies = columns.bodies;
    for (let n = bodies.indexOf(card.parentElement) + step; bodies[n]; n += step) {
      const others = [...bodies[n].querySelectorAll(".visit")];
      const far = (other) => Math.abs(top(other) - top(card));
      if (others.length) return others.reduce((best, other) => (far(other) < far(best) ? other : best));
    }
    return undefined;
  }

  function go(card, key) {
    const next = neighbour(card, key);
    if (!next) return;
    card.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  function pressed(event) {
    const card = event.target.closest(".visit");
    if (!card || event.ctrlKey || event.metaKey) return;
    if (carried) {
      if (event.key.startsWith("Arrow")) carry(event);
      else if (event.key === "Enter" || event.key === " ") putDown(carried.target);
      else if (event.key === "Escape") putDown(carried.visit);
      else return;
    } else if (event.key.startsWith("Arrow") && !event.altKey) go(card, event.key);
    else if (event.key.toLowerCase() === "m" && !event.altKey) pickUp(card);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  place.addEventListener("keydown", pressed);
  place.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (carried?.card === target && relatedTarget && relatedTarget !== target) putDown(carried.visit);
  });
}

function top(card) {
  return card.getBoundingClientRect().top;
}
