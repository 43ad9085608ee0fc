/** Moving visits by mouse, pen or finger. A finger holds a visit for a moment first, because a stroke scrolls. */

const FAR_ENOUGH = 4; // pixels: less is a click
const HOLD = 350; // milliseconds
const FINE = 5; // minutes, with Shift; else the step of the type
const STACKED = matchMedia("(max-width: 700px)"); // the columns are lists there: moved by the dialog
const EDGE = 40; // pixels from the rim of the calendar within which it scrolls along

/** `find(card)` gives the visit that may be moved, or nothing; `drop(visit, target)` gets where it was let go. */
export function enableDragging(columns, { find, begin, drop }) {
  const { place } = columns;
  let drag = null;

  function start(event) {
    const card = event.target.closest(".visit[data-movable]");
    if (!card || event.button || drag || STACKED.matches) return;
    const visit = find(card);
    const { minute } = columns.at(event.clientX, event.clientY);
    const resize = event.target.classList.contains("visit-grip");
    drag = { card, visit, resize, grip: minute - visit.from, x: event.clientX, y: event.clientY, on: false, target: visit };
    if (event.pointerType === "touch") drag.hold = setTimeout(() => lift(event.pointerId), HOLD);
  }

  function lift(pointerId) {
    drag.on = true;
    drag.card.setPointerCapture(pointerId);
    drag.card.classList.add("is-moving");
    begin(drag.visit);
  }

  function move(event) {
    if (!drag) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > FAR_ENOUGH;
    if (!drag.on && far && drag.hold) return stop(); // the finger scrolls
    if (!drag.on && far) lift(event.pointerId);
    if (!drag.on) return;
    drag.target = drag.resize ? resized(event) : moved(event);
    columns.show(drag.visit, drag.target);
    scrollAlong(event);
  }

  function moved(event) {
    const { column, minute } = columns.at(event.clientX, event.clientY);
    const step = event.shiftKey ? FINE : columns.data.types[drag.visit.type].step;
    const { first_hour: first, last_hour: last } = columns.data;
    const from = Math.round((minute - drag.grip) / step) * step;
    const latest = Math.max(last * 60 - drag.visit.minutes, drag.visit.from); // one that lasts past midnight may stay so
    return { column, minutes: drag.visit.minutes, from: Math.min(Math.max(from, first * 60), latest) };
  }

  function resized(event) {
    const { minute } = columns.at(event.clientX, event.clientY);
    const { least, most } = columns.data.types[drag.visit.type];
    const minutes = Math.round((minute - drag.visit.from) / FINE) * FINE;
    return { ...drag.visit, minutes: Math.min(Math.max(minutes, least), most) };
  }

  function scrollAlong({ clientX, clientY }) {
    const box = place.getBoundingClientRect();
    const by = (point, start, end) => (point < start + EDGE ? -1 : point > end - EDGE ? 1 : 0) * 12;
    place.scrollBy(by(clientX, box.left, box.right), by(clientY, box.top, box.bottom));
  }

  function stop() {
    clearTimeout(drag?.hold);
    drag?.card.classList.remove("is-moving");
    const ended = drag;
    drag = null;
    return ended;
  }

  function release() {
    const ended = stop();
    if (!ended?.on) return;
    addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
    setTimeout(() => dispatchEvent(new Event("click")), 0); // where the browser sends no click after a drag
    drop(ended.visit, ended.target);
  }

  function giveUp() {
    const ended = stop();
    if (ended?.on) drop(ended.visit, ended.visit);
  }

  place.addEventListener("pointerdown", start);
  addEventListener("pointermove", move);
  addEventListener("pointerup", release);
  addEventListener("pointercancel", giveUp);
  addEventListener("keydown", ({ key }) => key === "Escape" && drag?.on && giveUp());
  place.addEventListener("touchmove", (event) => drag?.on && event.preventDefault(), { passive: false });
  place.addEventListener("contextmenu", (event) => drag && event.preventDefault());
}
