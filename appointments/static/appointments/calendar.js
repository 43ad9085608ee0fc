/**
 * The day in columns. The server speaks wall-clock text of the clinic without an offset, and gets wall-clock text back,
 * so the zone of this browser never moves a visit. A move that the server refuses is taken back and explained.
 */

import { element, moveVisit, say, wallClock } from "./moving.js";

const place = document.getElementById("calendar");
const list = document.getElementById("day-list");
const views = document.getElementById("view-choice");
const dialog = document.getElementById("visit-dialog");
const PHONE = "(max-width: 700px)";
const REFRESH = 60_000; // milliseconds
let calendar = null;
let busy = false; // a drag or a move is under way: a refresh would pull the visit from under the hand

function eventContent({ event, timeText }) {
  if (event.display === "background") return undefined;
  const { status, type, room } = event.extendedProps;
  const minutes = (event.end - event.start) / 60_000;
  const body = element("div", minutes < 30 ? "visit-body is-short" : minutes < 45 ? "visit-body is-half" : "visit-body");
  const head = element("div", "visit-head");
  head.append(element("span", "visit-name", event.title), element("span", "visit-status", status));
  body.append(head, element("div", "visit-more", `${timeText} · ${type} · ${room}`));
  return { domNodes: [body] };
}

/** Ask the server, offer what it answers, and show the day as it is then; true when the visit was moved. */
async function move(url, fields, back = null) {
  busy = true;
  try {
    const moved = await moveVisit(url, fields, back, move);
    if (moved) await load();
    return moved;
  } finally {
    busy = false;
  }
}

async function dropped(info) {
  const { starts, move_url: url } = info.event.extendedProps;
  const before = info.oldEvent.resourceIds[0];
  const after = info.newResource?.id ?? before;
  const back = { ...wallClock(starts, {}), practitioner: before };
  if (!(await move(url, { ...wallClock(starts, info.delta), practitioner: after }, back))) info.revert();
}

function opened({ event }) {
  const { url, move_url: moveUrl, starts, status, type, room } = event.extendedProps;
  if (!url) return;
  if (!dialog || event.editable === false) {
    location.assign(url);
    return;
  }
  document.getElementById("visit-dialog-title").textContent = event.title;
  document.getElementById("visit-dialog-facts").textContent = `${type}, ${room}. ${status}.`;
  document.getElementById("visit-dialog-open").href = url;
  const form = document.getElementById("visit-dialog-move");
  form.action = moveUrl;
  form.practitioner.value = event.resourceIds[0];
  Object.assign(form.dataset, { ...wallClock(starts, {}), practitioner: event.resourceIds[0] });
  form.day.value = form.dataset.day;
  form.time.value = form.dataset.time;
  dialog.showModal();
}

/** The library marks its grid as a table without the rows and cells a table needs: to a screen reader it is none. */
function mendRoles() {
  for (const part of place.querySelectorAll("[role]")) {
    if (/^(table|row|rowgroup|columnheader|rowheader|cell)$/.test(part.getAttribute("role"))) part.removeAttribute("role");
  }
}

function options(data) {
  return {
    view: "resourceTimeGridDay",
    date: data.day,
    timeZone: data.utc_offset,
    headerToolbar: { start: "", center: "", end: "" },
    dayHeaderFormat: () => "",
    allDaySlot: false,
    nowIndicator: true,
    slotDuration: "00:15",
    slotLabelInterval: "01:00",
    slotHeight: 26, // a 15-minute visit must be a target of at least 24 px
    columnWidth: "minmax(150px, 1fr)",
    slotMinTime: `${data.first_hour}:00`,
    slotMaxTime: `${data.last_hour}:00`,
    resources: data.columns,
    events: data.events,
    editable: Boolean(dialog),
    eventDurationEditable: false,
    eventContent,
    eventDragStart: () => { busy = true; },
    eventDragStop: () => { busy = false; },
    eventDrop: dropped,
    eventClick: opened,
    eventAllUpdated: mendRoles,
  };
}

async function load() {
  const answer = await fetch(`${place.dataset.feed}?day=${place.dataset.day}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The calendar answered ${answer.status}.`);
  const data = await answer.json();
  if (!calendar) {
    calendar = EventCalendar.create(place, options(data));
    new MutationObserver(mendRoles).observe(place, { childList: true, subtree: true });
    mendRoles();
  } else {
    calendar.setOption("resources", data.columns);
    calendar.setOption("events", data.events);
  }
}

function show(view) {
  place.hidden = view !== "columns";
  list.hidden = view === "columns";
  for (const button of views.querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.view === view);
}

views.addEventListener("click", ({ target }) => target.dataset.view && show(target.dataset.view));
document.getElementById("visit-dialog-move")?.addEventListener("submit", (event) => {
  if (event.submitter?.value === "close") return;
  event.preventDefault();
  const form = event.currentTarget;
  const fields = { practitioner: form.practitioner.value, day: form.day.value, time: form.time.value };
  dialog.close();
  move(form.action, fields, { ...form.dataset });
});
if (place.dataset.hasColumns) {
  load().then(() => {
    views.hidden = false;
    show(matchMedia(PHONE).matches ? "list" : "columns");
    setInterval(() => document.hidden || busy || load().catch(() => {}), REFRESH);
  }, () => say("warning", "The columns could not be loaded; here is the day as a list."));
}
