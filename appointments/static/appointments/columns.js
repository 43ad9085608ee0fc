/**
 * The columns of the calendar: draws what the server sent, and says what lies under a point.
 *
 * All positions are minutes since midnight on the wall clock of the column's location; CSS turns them into pixels.
 */

import { carriedInto } from "./carried.js";
import { columnHead } from "./column_head.js";
import { lanes } from "./lanes.js";
import { shades } from "./shades.js";
import { card, clock, element, label, span, spokenDay } from "./visit_card.js";

const ABOVE = 120; // pixels shown before "now", or before the first visit of another day
const CROWDED = 7; // columns: above, they may be narrower

export class Columns {
  constructor(place) {
    this.place = place;
    this.data = null;
    this.bodies = []; // by column
    this.cards = new Map(); // by visit id
  }

  draw(data) {
    const { scrollTop, scrollLeft } = this.place;
    const held = Number(document.activeElement?.dataset?.id);
    const isFirst = this.data === null;
    this.data = data;
    this.bodies = [];
    this.cards.clear();
    let n = 0;
    for (const group of data.groups) {
      for (const column of data.columns.slice(n, n + group.columns)) Object.assign(column, { group });
      n += group.columns;
    }
    this.place.style.setProperty("--first", data.first_hour * 60);
    this.place.style.setProperty("--last", data.last_hour * 60);
    this.place.classList.toggle("is-crowded", data.columns.length > CROWDED);
    this.place.replaceChildren(...this.parts());
    const stop = this.cards.get(held) ?? this.place.querySelector(".visit");
    if (stop) stop.tabIndex = 0; // one stop for the Tab key; the arrows go from visit to visit
    if (this.cards.has(held)) stop.focus({ preventScroll: true });
    this.tick();
    const begins = this.place.querySelector(".now") ?? this.place.querySelector(".visit");
    this.place.scrollTo(scrollLeft, isFirst && begins ? begins.offsetTop - ABOVE : scrollTop);
  }

  *parts() {
    yield this.axis();
    let track = 2;
    let n = 0;
    for (const group of this.data.groups) {
      const head = this.groupHead(group);
      head.style.gridColumn = `${track} / span ${Math.max(1, group.columns)}`;
      yield head;
      for (const column of this.data.columns.slice(n, n + group.columns)) yield* this.column(column, n++, track++);
      if (group.columns) continue;
      const nobody = element("p", "column-none", group.closed ? "Closed" : "Nobody at work");
      nobody.style.gridColumn = track++;
      yield nobody;
    }
  }

  axis() {
    const axis = element("div", "axis");
    axis.ariaHidden = "true";
    for (let hour = this.data.first_hour; hour < this.data.last_hour; hour += 1) {
      const mark = element("span", "axis-hour", clock(hour * 60).replace(":00", ""));
      mark.style.setProperty("--from", hour * 60);
      axis.append(mark);
    }
    return axis;
  }

  groupHead(group) {
    const { name } = this.data.locations[group.location];
    const isWeek = this.data.groups.some(({ day }) => day !== group.day);
    const isOnly = Object.keys(this.data.locations).length === 1;
    const head = element("h2", "group-head", isWeek ? spokenDay(group.day, "short") + (isOnly ? "" : `, ${name}`) : name);
    head.append(" ", element("span", "group-zone", group.zone));
    if (group.closed) head.append(" ", element("span", "group-closed", `Closed: ${group.closed}`));
    return head;
  }

  *column(column, n, track) {
    const here = this.data.visits.filter((visit) => visit.column === n);
    column.has_visits = here.length > 0;
    const head = columnHead(column, this.data, this.place.dataset.moves);
    const body = element("div", "column");
    for (const part of [head, body]) part.style.gridColumn = track;
    body.setAttribute("role", "group");
    body.ariaLabel = this.columnName(column);
    body.dataset.column = n;
    this.bodies[n] = body;
    for (const [from, until, kind, text] of shades(column, this.data)) {
      const shade = element("div", `shade is-${kind}`, text);
      shade.style.setProperty("--from", from);
      shade.style.setProperty("--for", until - from);
      body.append(shade);
    }
    body.append(...carriedInto(n, this.data, this.place.dataset.visit));
    for (const [id, [lane, count]] of lanes(here)) {
      const visit = here.find((one) => one.id === id);
      const made = card(visit, this.data);
      made.style.setProperty("--lane", lane);
      made.style.setProperty("--lanes", count);
      this.cards.set(id, made);
      this.show(visit);
    }
    yield head;
    yield body;
  }

  columnName({ title, group }) {
    return `${title}, ${this.data.locations[group.location].name}, ${spokenDay(group.day)}`;
  }

  /** Show a visit in a column at a time, its own or where it is being moved to. */
  show(visit, at = visit) {
    const made = this.cards.get(visit.id);
    if (made.parentElement !== this.bodies[at.column]) this.bodies[at.column].append(made);
    made.style.setProperty("--from", at.from);
    made.style.setProperty("--for", Math.min(at.minutes, this.data.last_hour * 60 - at.from)); // the rest is on the next day
    made.classList.toggle("is-short", at.minutes < 30);
    made.classList.toggle("is-half", at.minutes >= 30 && at.minutes < 45);
    made.querySelector(".visit-time").textContent = span(at);
    made.ariaLabel = label(visit, this.data, at);
  }

  /** The column nearest to a point, and the minute at its height. */
  at(x, y) {
    const far = ({ left, right }) => Math.max(left - x, x - right, 0);
    const boxes = this.bodies.map((body) => body.getBoundingClientRect());
    const column = boxes.reduce((best, box, n) => (far(box) < far(boxes[best]) ? n : best), 0);
    const { first_hour: first, last_hour: last } = this.data;
    return { column, minute: first * 60 + ((y - boxes[column].top) / boxes[column].height) * (last - first) * 60 };
  }

  /** The line of "now", in the columns whose day it is by their own clock. */
  tick() {
    for (const line of this.place.querySelectorAll(".now")) line.remove();
    for (const [n, { group }] of this.data.columns.entries()) {
      const now = new Date(Date.now() + this.data.locations[group.location].offset * 60_000).toISOString();
      if (now.slice(0, 10) !== group.day) continue;
      const line = element("div", "now");
      line.style.setProperty("--from", Number(now.slice(11, 13)) * 60 + Number(now.slice(14, 16)));
      this.bodies[n].append(line);
    }
  }
}
