/** A visit as the calendar shows it, and how minutes since midnight are written and spoken. */

export function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** 615 → "10:15 AM" */
export function clock(minute) {
  const hour = Math.floor(minute / 60) % 24;
  return `${hour % 12 || 12}:${String(minute % 60).padStart(2, "0")} ${hour < 12 ? "AM" : "PM"}`;
}

/** 615 → "10:15", as a form sends it */
export function wall(minute) {
  return `${String(Math.floor(minute / 60) % 24).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** "2027-01-04" → "Monday, January 4" or, short, "Mon, Jan 4", whatever the zone of this browser. */
export function spokenDay(day, length = "long") {
  const at = new Date(`${day}T12:00:00Z`);
  return at.toLocaleDateString("en-US", { weekday: length, month: length, day: "numeric", timeZone: "UTC" });
}

/** "Adjustment" → "Adj", "Report of findings" → "ROF": where a column is too narrow for the whole. */
function abbreviated(name) {
  const words = name.split(/[\s-]+/);
  if (words.length > 1) return words.map(([first]) => first.toUpperCase()).join("");
  return name.slice(0, 4).replace(/[aeiou]$/, "");
}

export function card(visit, data) {
  const made = element("button", `visit is-${visit.status}`);
  made.type = "button";
  made.dataset.id = visit.id;
  made.tabIndex = -1;
  const movable = canMove(visit, data);
  if (movable) made.dataset.movable = "";
  const zone = visit.zone ? ` ${visit.zone}` : ""; // two visits can stand at one time then, and a short card has no time
  const name = element("span", "visit-name", visit.patient + zone);
  name.dataset.short = visit.brief + zone;
  const type = element("span", "visit-type", data.types[visit.type].name);
  type.dataset.short = abbreviated(type.textContent);
  const words = [
    name,
    type,
    element("span", "visit-time"),
    element("span", "visit-status", data.statuses[visit.status]),
    element("span", "visit-room", visit.room),
  ];
  made.append(element("span", "visit-shape"), ...words.flatMap((word) => [word, " "])); // apart also when read aloud
  const { least, most } = data.types[visit.type];
  if (movable && least < most) made.append(element("span", "visit-grip"));
  return made;
}

export function canMove(visit, data) {
  return data.movable.includes(visit.status) && data.locations[data.columns[visit.column].group.location].may_change;
}

/** With the zone on a day on which the clock changes: a visit tells it then, for an hour comes twice. */
export function span({ from, minutes, zone }) {
  const next = from + minutes > 1440 ? " next day" : "";
  return `${clock(from)} – ${clock(from + minutes)}${zone ? ` ${zone}` : ""}${next}`;
}

/** What the visit is called aloud: the words on its card in their order, those that had no room too. */
export function label(visit, data, at) {
  return [visit.patient, data.types[visit.type].name, span(at), data.statuses[visit.status], visit.room].join(", ");
}
