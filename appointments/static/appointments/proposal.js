/** A proposal: the button says how many visits it books, and a refusal is read first. */

const form = document.querySelector("form:has(.proposal)");
const button = form?.querySelector(".proposal-end .btn-primary");
const said = button?.textContent;

function count() {
  const chosen = [...form.querySelectorAll(".proposal input[type=radio]:checked")];
  const left = chosen.filter((radio) => radio.value === "skip").length;
  button.textContent = `${said} (${chosen.length - left})`;
}

if (button) {
  form.addEventListener("change", count);
  count();
}
document.getElementById("refused")?.focus();
