/** What stands above a column: whose it is and, where visits can be moved, the way to move them all. */
import { element } from "./visit_card.js";

export function columnHead(column, data, address) {
  const head = element("h3", "column-head", column.title);
  const { may_change: mayChange } = data.locations[column.group.location];
  if (data.by !== "practitioner" || !mayChange || !column.has_visits || !address) return head;
  const day = column.group.day;
  const asked = { practitioner: column.key, location: column.group.location, first: day, last: day, which: "all", to: "anyone" };
  const way = element("a", "column-move no-print", "Move all");
  way.href = `${address}?${new URLSearchParams(asked)}`;
  way.ariaLabel = `Move all visits of ${column.title}`;
  head.append(way);
  return head;
}
