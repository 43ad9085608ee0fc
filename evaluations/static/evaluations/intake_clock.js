// The clock of consent and history: it runs while the page is looked at, and goes along with each save.
const clock = document.getElementById("history-clock"), kept = document.getElementById("history-seconds");
if (clock && kept) {
  let seconds = Number(clock.dataset.seconds);
  setInterval(() => {
    if (document.hidden) return;
    seconds += 1;
    kept.value = seconds;
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    clock.classList.toggle("is-over", seconds > Number(clock.dataset.budget));
  }, 1000);
}
