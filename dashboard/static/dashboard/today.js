/** The clocks of the board run between two refreshes, and a refresh never takes the place under somebody's hands. */
const EVERY = 10_000;

function tick() {
  for (const clock of document.querySelectorAll("[data-since]")) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(clock.dataset.since)) / 60_000));
    clock.textContent = `${minutes} min${clock.dataset.after ?? ""}`;
    if (clock.dataset.warn) clock.classList.toggle("is-warm", minutes >= Number(clock.dataset.warn));
  }
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "board" && (document.hidden || event.target.querySelector(":active"))) event.preventDefault();
});
document.addEventListener("htmx:afterSwap", tick);
setInterval(tick, EVERY);
tick();
