/** The booking page: an offered time and an exact one exclude each other, and a refusal is read first. */

document.addEventListener("change", (event) => {
  if (event.target.matches("input[name=slot]")) {
    for (const name of ["day", "time"]) {
      const field = document.querySelector(`#book .exact [name=${name}]`);
      if (field) field.value = "";
    }
  } else if (event.target.matches("#book .exact [name=day], #book .exact [name=time]")) {
    const chosen = document.querySelector("input[name=slot]:checked");
    if (chosen) chosen.checked = false;
  }
});

// Another kind of visit has another range: its length is the usual one until another is chosen. Before htmx asks.
document.addEventListener("change", ({ target }) => {
  const length = document.querySelector("#find [name=minutes]");
  if (target.matches("#find [name=type]") && length) length.value = "";
}, true);

// The times are fetched anew when a choice on the left changes: a time chosen meanwhile stays chosen.
let kept = null;
document.addEventListener("htmx:beforeSwap", () => {
  kept = document.querySelector("input[name=slot]:checked")?.value ?? null;
});
document.addEventListener("htmx:afterSwap", () => {
  const again = [...document.querySelectorAll("input[name=slot]")].find((slot) => slot.value === kept);
  if (again) again.checked = true;
});

const refusal = document.querySelector("#book [role=alert], #book .is-invalid");
if (refusal) {
  refusal.tabIndex = refusal.matches("input, select") ? 0 : -1;
  refusal.focus();
}
