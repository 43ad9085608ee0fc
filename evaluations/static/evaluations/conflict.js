// Both versions of what two tabs or two people changed, side by side; a choice for each. Typing goes on beside it.

export function startConflict(items, choose) {
  const dialog = document.getElementById("conflict"), who = document.getElementById("conflict-who"), body = document.getElementById("conflict-rows");

  function option(row, side, words, isChosen) {
    const cell = document.createElement("td"), label = document.createElement("label"), radio = document.createElement("input");
    Object.assign(radio, { type: "radio", name: `choose ${row.name}`, value: side, checked: isChosen });
    label.append(radio, ` ${words}`);
    cell.append(label);
    return cell;
  }

  // The instant comes with the offset of the clinic: its clock is what stands in the text.
  function said(row) {
    const small = document.createElement("span");
    small.className = "conflict-by";
    if (row.by) small.textContent = `${row.by}, ${row.at.slice(11, 16)}`;
    return small;
  }

  function add(row) {
    const line = document.createElement("tr"), head = document.createElement("th");
    line.dataset.name = row.name;
    head.scope = "row";
    head.textContent = items.labelOf(row.item);
    const mine = option(row, "mine", items.inWords(row.item, items.read(row.item)), true);
    const theirs = option(row, "theirs", items.inWords(row.item, row.theirs), false);
    theirs.append(said(row));
    line.append(head, mine, theirs);
    body.append(line);
  }

  function all(side) { for (const radio of body.querySelectorAll(`[value=${side}]`)) radio.checked = true; }

  document.getElementById("conflict-all-mine").addEventListener("click", () => all("mine"));
  document.getElementById("conflict-all-theirs").addEventListener("click", () => all("theirs"));
  document.getElementById("conflict-done").addEventListener("click", () => {
    const chosen = [...body.rows].map((line) => [line.dataset.name, line.querySelector(":checked").value]);
    body.replaceChildren();
    dialog.close();
    for (const [name, side] of chosen) choose(name, side === "theirs");
  });
  return (rows, detail = "") => {
    who.textContent = detail;
    const before = document.activeElement;
    rows.forEach(add);
    if (!dialog.open) dialog.show();
    before?.focus(); // the keyboard stays where somebody is typing
  };
}
