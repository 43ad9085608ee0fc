/** Visits that overlap in a column stand side by side: a Map of [lane, number of lanes] by visit id. */
export function lanes(visits) {
  const found = new Map();
  let open = []; // visits that overlap one another in a chain
  let end = -1;
  const close = () => {
    const count = 1 + Math.max(-1, ...open.map((visit) => found.get(visit.id)[0]));
    for (const visit of open) found.get(visit.id)[1] = count;
    open = [];
  };
  for (const visit of [...visits].sort((one, other) => one.from - other.from)) {
    if (visit.from >= end) close();
    const beside = open.filter((other) => other.from + other.minutes > visit.from);
    const taken = beside.map((other) => found.get(other.id)[0]);
    let lane = 0;
    while (taken.includes(lane)) lane += 1;
    found.set(visit.id, [lane, 1]);
    open.push(visit);
    end = Math.max(end, visit.from + visit.minutes);
  }
  close();
  return found;
}
