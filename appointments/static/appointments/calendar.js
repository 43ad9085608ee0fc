/** The calendar page: draws the columns, lets visits be moved, and follows what others change. */

import { ask, askToMove, say, takeBack } from "./asking.js";
import { offerBooking } from "./booking_here.js";
import { enableCarrying } from "./carrying.js";
import { Columns } from "./columns.js";
import { enableDragging } from "./dragging.js";
import { canMove, wall } from "./visit_card.js";
import { makeDialog } from "./visit_dialog.js";

const REFRESH = 5_000; // milliseconds
const place = document.getElementById("calendar");
const columns = new Columns(place);
let etag = "";
let held = 0; // moves under way: a refresh would pull the visit from under the hand
let lost = false;

const find = (card) => columns.data.visits.find(({ id }) => id === Number(card.dataset.id));
const address = (visit, page = "") => place.dataset.visit.replace("/0/", `/${visit.id}/${page}`);

async function load() {
  const headers = { Accept: "application/json", ...(etag && { "If-None-Match": etag }) };
  const answer = await fetch(place.dataset.feed + location.search, { headers, cache: "no-store" });
  if (answer.status !== 304) {
    if (!answer.ok || answer.redirected) throw new Error(`The calendar answered ${answer.status}.`);
    const before = new Map(columns.data.visits.map((visit) => [visit.id, JSON.stringify(visit)]));
    const data = await answer.json();
    etag = answer.headers.get("ETag") ?? "";
    if (held) return;
    columns.draw(data);
    const news = data.visits.filter((visit) => before.get(visit.id) !== JSON.stringify(visit));
    for (const visit of news) columns.cards.get(visit.id).classList.add("is-new");
  }
  if (lost) say("success", "Connected again: the calendar is up to date.");
  lost = false;
}

async function follow() {
  if (document.hidden || held) return;
  try {
    await load();
  } catch {
    if (!lost) say("error", "No connection, or you were signed out: the calendar may be out of date.");
    lost = true;
  }
}

/** What a place on the calendar is as the fields of a move. */
function fields(visit, { column, from, minutes }) {
  const { key, group } = columns.data.columns[column];
  const who = columns.data.by === "room" ? { practitioner: visit.practitioner, room: key } : { practitioner: key };
  return { location: group.location, day: group.day, time: wall(from), minutes, ...who };
}

async function move(visit, wanted) {
  held += 1;
  await askToMove(address(visit, "move/"), { ...wanted, seen: visit.seen }, async () => {
    held = 0;
    etag = ""; // draw it anew whatever the answer: a refused visit goes back to its place
    await follow();
    const now = columns.data.visits.find(({ id }) => id === visit.id);
    if (now) columns.show(now);
  });
  columns.cards.get(visit.id)?.focus({ preventScroll: true });
}

function drop(visit, target) {
  held = Math.max(0, held - 1);
  const same = visit.column === target.column && visit.from === target.from && visit.minutes === target.minutes;
  columns.show(visit, same ? visit : target);
  if (!same) move(visit, fields(visit, target));
}

function tell(text) {
  document.getElementById("calendar-tells").textContent = text;
}

const open = makeDialog(columns, {
  addresses: (visit) => ({ page: address(visit), move: address(visit, "move/") }),
  step: (visit, step) => ask(address(visit, "step/"), { step, seen: visit.seen }, follow),
  move,
});
const moving = { find, begin: () => { held += 1; }, drop, tell };

columns.draw(JSON.parse(document.getElementById("calendar-data").textContent));
enableDragging(columns, moving);
enableCarrying(columns, moving);
offerBooking(columns);
place.addEventListener("click", ({ target }) => {
  const visit = target.closest(".visit") && find(target.closest(".visit"));
  if (visit) open(visit, canMove(visit, columns.data));
});
document.addEventListener("keydown", (event) => {
  const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.target.closest("input, textarea, dialog");
  if (isUndo && takeBack()) event.preventDefault();
});
const print = document.getElementById("calendar-print");
print.hidden = false;
print.addEventListener("click", () => window.print());
setInterval(follow, REFRESH);
setInterval(() => columns.tick(), 30_000);
document.addEventListener("visibilitychange", follow);
