// One more row in the phases and goals of a plan. Without script there are always empty rows to fill, and more once saved.
for (const panel of document.querySelectorAll("[data-rows]")) {
  const { rows: name, most } = panel.dataset;
  const total = panel.querySelector(`[name="${name}-TOTAL_FORMS"]`);
  const [more, template] = [panel.querySelector("[data-more]"), panel.querySelector("template")];
  const settle = () => { more.hidden = Number(total.value) >= Number(most); };
  more.addEventListener("click", () => {
    const number = Number(total.value);
    const row = document.createElement("div");
    row.innerHTML = template.innerHTML.replaceAll("__prefix__", number).replaceAll("__row__", number + 1);
    total.value = number + 1;
    template.before(row.firstElementChild);
    template.previousElementSibling.querySelector("select, input").focus();
    settle();
  });
  settle();
}
