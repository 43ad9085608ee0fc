/** Keys of every staff page: `/` search, `g` + letter goes to a page of the rail, single keys press a button. */
const PAUSE = 1200; // milliseconds in which `g` waits for its second key

const dialog = document.getElementById("keys");
let waitingSince = 0;

function isTyping(target) {
  return target.closest("input, textarea, select, [contenteditable=true], dialog[open]") !== null;
}

function go(key) {
  document.querySelector(`[data-go="${CSS.escape(key)}"]`)?.click();
}

function press(key) {
  if (key === "/") {
    const finder = document.getElementById("finder");
    finder?.focus();
    finder?.select();
    return Boolean(finder);
  }
  if (key === "?") {
    dialog?.showModal();
    return true;
  }
  const found = document.querySelector(`a[data-press="${CSS.escape(key)}"]`);
  found?.click();
  return Boolean(found);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (Date.now() - waitingSince < PAUSE) {
    waitingSince = 0;
    go(event.key);
    event.preventDefault();
  } else if (event.key === "g") {
    waitingSince = Date.now();
  } else if (press(event.key)) {
    event.preventDefault();
  }
});

document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));

for (const button of document.querySelectorAll("button[data-press]")) {
  button.hidden = false; // without script the button would do nothing, so it is not shown
  button.addEventListener("click", () => press(button.dataset.press));
}
