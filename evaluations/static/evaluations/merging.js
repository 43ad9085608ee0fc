// Two tabs or two people: what only one side changed is brought together, what both changed is for a person to choose.

export function startMerging({ form, draft, items, report, pending, held, bases, request, touch, schedule, tell }) {
  function hold(name, item, theirs, said) {
    pending.delete(name);
    held.set(name, item);
    return { name, item, theirs, by: said?.by, at: said?.at };
  }

  /** Who saved what and when, by the name that the page has for it: findings are numbered in the refusal. */
  function byName(sent, conflict) {
    const findings = [...sent].filter(([, { item }]) => items.isFinding(item)).map(([name]) => name);
    return new Map((conflict?.items ?? []).map((one) => [findings[Number(one.name.match(/^findings\.(\d+)$/)?.[1])] ?? one.name, one]));
  }

  async function bringTogether(sent, refusal) {
    const said = byName(sent, refusal.conflict);
    let current;
    try { current = await (await request("GET")).json(); } catch { current = null; }
    for (const [name, { item }] of sent) pending.set(name, item);
    if (current?.version === undefined) return;
    form.elements.version.value = current.version;
    const theirs = items.byName(current), rows = [];
    for (const item of items.all(form)) {
      const name = items.nameOf(item), there = items.stored(item, current, theirs), base = bases.get(name) ?? null;
      bases.set(name, there);
      if (!pending.has(name)) {
        if (!items.same(there, base) && !held.has(name)) items.write(item, there);
      } else if (items.same(there, items.read(item))) {
        pending.delete(name);
        draft.forget([name]);
      } else if (!items.same(there, base)) rows.push(hold(name, item, there, said.get(name)));
    }
    if (rows.length) report.conflict(rows, refusal.detail);
    report.merged();
    tell();
  }

  function choose(name, takesTheirs) {
    const item = held.get(name);
    held.delete(name);
    if (takesTheirs) {
      items.write(item, bases.get(name));
      draft.forget([name]);
      report.merged();
    } else touch(item);
    schedule(0);
    tell();
  }

  /** What this person left on this device: shown again, and saved where nobody else changed it since. */
  function restore() {
    const byName = new Map(items.all(form).map((item) => [items.nameOf(item), item]));
    const rows = [];
    for (const [name, { value, base }] of draft.left()) {
      const item = byName.get(name), there = bases.get(name) ?? null;
      if (!item || items.same(value, there)) { draft.forget([name]); continue; }
      items.write(item, value);
      pending.set(name, item);
      if (!items.same(there, base ?? null)) rows.push(hold(name, item, there));
    }
    if (rows.length) report.conflict(rows);
    if (!pending.size) return;
    report.merged();
    report.state("Typed before and not saved yet: saving…");
    schedule(0);
  }

  return { bringTogether, choose, restore };
}
