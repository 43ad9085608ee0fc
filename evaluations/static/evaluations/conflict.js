// Both versions of what two tabs or two people changed, side by side; a choice for each. Typing goes on beside it.
import * as items from "./items.js";

export function startConflict(choose) {
  const dialog = document.getElementById("conflict"), body = document.getElementById("conflict-rows");

  function option(row, who, words, isChosen) {
    const cell = document.createElement("td"), label = document.createElement("label"), radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: `choose ${row.name}`, value: who, checked: isChosen });
    label.append(radio, ` ${words}`);
    cell.append(label);
    return cell;
  }

  function add(row) {
    const line = document.createElement("tr"), head = document.createElement("th");
    line.dataset.name = row.name;
    head.scope = "row";
    head.textContent = items.labelOf(row.item);
    line.append(head, option(row, "mine", items.inWords(row.item, items.read(row.item)), true), option(row, "theirs", items.inWords(row.item, row.theirs), false));
    body.append(line);
  }

  function all(who) { for (const radio of body.querySelectorAll(`[value=${who}]`)) radio.checked = true; }

  document.getElementById("conflict-all-mine").addEventListener("click", () => all("mine"));
  document.getElementById("conflict-all-theirs").addEventListener("click", () => all("theirs"));
  document.getElementById("conflict-done").addEventListener("click", () => {
    const chosen = [...body.rows].map((line) => [line.dataset.name, line.querySelector(":checked").value]);
    body.replaceChildren();
    dialog.close();
    for (const [name, who] of chosen) choose(name, who === "theirs");
  });
  return (rows) => {
    const before = document.activeElement;
    rows.forEach(add);
    if (!dialog.open) dialog.show();
    before?.focus(); // the keyboard stays where somebody is typing
  };
}
