import { clock } from "./visit_card.js";

/** What lies behind the visits of a column: [from, until, kind, text] of the time nobody works, time off, and holds. */
export function* shades(column, { columns, holds, first_hour: first, last_hour: last }) {
  const { working, off, group } = column;
  let minute = first * 60;
  for (const [from, until] of [...working, [last * 60, 0]]) {
    if (minute < from) yield [minute, from, group.closed ? "closed" : "away", ""];
    minute = Math.max(minute, until);
  }
  for (const [from, until] of off) yield [Math.max(from, first * 60), Math.min(until, last * 60), "off", "Time off"];
  for (const hold of holds) {
    if (columns[hold.column] === column) yield [hold.from, hold.from + hold.minutes, "kept", `${hold.text} for ${clock(hold.began)}`];
  }
}
