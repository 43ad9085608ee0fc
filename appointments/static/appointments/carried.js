/**
 * What lasts past midnight, on the next day: a link to the visit, which is moved on the day on which it starts.
 * It has a Tab stop of its own; the arrows and M are for visits that can be moved there.
 */

import { clock, element, spokenDay } from "./visit_card.js";

export function* carriedInto(n, data, address) {
  for (const visit of data.carried.filter(({ column }) => column === n)) {
    const until = `${clock(visit.from + visit.minutes)}${visit.zone ? ` ${visit.zone}` : ""}`;
    const since = element("span", "carried-since", `carried over since ${clock(visit.began)} on ${spokenDay(visit.day)}`);
    const made = element("a", `carried is-${visit.status}`);
    made.href = address.replace("/0/", `/${visit.id}/`);
    const words = [data.types[visit.type].name, data.statuses[visit.status], visit.room];
    const aloud = element("span", "visually-hidden", `. ${words.join(", ")}`);
    made.append(element("span", "carried-name", visit.patient), ` until ${until}, `, since, aloud);
    made.title = "It is moved on the day on which it starts.";
    made.style.setProperty("--from", visit.from);
    made.style.setProperty("--for", visit.minutes);
    yield made;
  }
}
