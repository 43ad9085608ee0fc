/** The clocks of the board run between two refreshes, and a refresh never takes the place under somebody's hands. */
const EVERY = 5_000; // milliseconds
const CLOCK = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", timeZone: "UTC" });

function tick() {
  for (const clock of document.querySelectorAll("[data-since]")) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(clock.dataset.since)) / 60_000));
    clock.textContent = `${minutes} min${clock.dataset.after ?? ""}`;
    if (clock.dataset.warn) clock.classList.toggle("is-warm", minutes >= Number(clock.dataset.warn));
  }
  for (const clock of document.querySelectorAll("[data-offset]")) {
    const wall = new Date(Date.now() + Number(clock.dataset.offset) * 60_000); // read as UTC: the wall clock there
    clock.textContent = `${CLOCK.format(wall)} ${clock.dataset.zone}`;
  }
}

/** A poll of the board itself, as opposed to a step that somebody took. */
function isPoll(event) {
  return event.target.id === "board";
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPoll(event) && (document.hidden || event.target.querySelector(":active"))) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr, serverResponse } = event.detail;
  if (target.id !== "board" || xhr.status === 204 || serverResponse.includes('id="board"')) return;
  event.preventDefault(); // the page of signing in, not a board
  location.reload();
});
document.addEventListener("htmx:afterRequest", (event) => {
  const foot = document.querySelector(".board-foot");
  if (!foot || !isPoll(event)) return;
  foot.classList.toggle("is-lost", !event.detail.successful);
  foot.textContent = event.detail.successful ? foot.dataset.says : "No connection: the board may be out of date.";
});
document.addEventListener("htmx:afterSwap", tick);
setInterval(tick, EVERY);
tick();
