/** Free time under the mouse offers itself: a link that books exactly there. */

import { clock, element, wall } from "./visit_card.js";

const STEP = 15; // minutes

export function offerBooking(columns) {
  const { place } = columns;
  const link = element("a", "book-here");
  link.tabIndex = -1; // by keyboard: "New booking", whose list of free times is the better way

  place.addEventListener("pointermove", (event) => {
    const body = event.target.closest(".column");
    if (event.target === link) return;
    const column = columns.data.columns[body?.dataset.column];
    const free = event.pointerType === "mouse" && column && !event.buttons && !event.target.closest(".visit");
    if (!free || !columns.data.locations[column.group.location].may_book) return link.remove();
    const from = Math.floor(columns.at(event.clientX, event.clientY).minute / STEP) * STEP;
    const isTaken = [...columns.data.visits, ...columns.data.carried, ...columns.data.holds].some(
      (visit) => columns.bodies[visit.column] === body && visit.from < from + STEP && from < visit.from + visit.minutes,
    );
    if (isTaken) return link.remove();
    const wanted = { location: column.group.location, from_day: column.group.day, day: column.group.day, time: wall(from) };
    if (columns.data.by === "practitioner") wanted.practitioner = column.key;
    link.href = `${place.dataset.book}?${new URLSearchParams(wanted)}`;
    link.textContent = `Book ${clock(from)}`;
    link.style.setProperty("--from", from);
    link.style.setProperty("--for", STEP);
    return body.append(link);
  });
  place.addEventListener("pointerleave", () => link.remove());
}
