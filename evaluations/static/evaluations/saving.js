// Saves what is typed shortly after a pause, and keeps it on this device until the server has acknowledged it.
// One request at a time. A request without an answer is sent again as it is: the operation is applied once.
import { startMerging } from "./merging.js";

const PAUSE = 900, LONGEST_WAIT = 15000; // milliseconds

// `items` is how the page reads, writes and names what is saved (items.js); `rest()` is what else a save says.
export function startSaving({ form, draft, items, rest, report }) {
  // By name: what waits to be saved, what waits for a choice, what the server has, and what it did not take.
  const pending = new Map(), held = new Map(), bases = new Map(), refused = new Map();
  let sending = null, timer = 0, again = 0, wait = PAUSE, isOver = false, isAway = false;
  for (const item of items.all(form)) bases.set(items.nameOf(item), items.read(item));

  const token = () => document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? form.elements.csrfmiddlewaretoken.value;
  const request = (method, body) => fetch(form.dataset.api, {
    method, body: body && JSON.stringify(body), credentials: "same-origin", keepalive: method === "PATCH" && document.hidden,
    headers: { "Content-Type": "application/json", "X-CSRFToken": token(), Accept: "application/json" },
  });

  function touch(item) {
    const name = items.nameOf(item), value = items.read(item);
    refused.delete(name);
    if (items.same(value, bases.get(name)) && !sending?.sent.has(name)) {
      pending.delete(name);
      draft.forget([name]);
      return tell();
    }
    draft.keep(name, value, bases.get(name));
    if (held.has(name)) return;
    if (items.dependOnEachOther) {
      for (const [other, one] of refused) pending.set(other, one); // what was refused may fit now
      refused.clear();
    }
    pending.set(name, item);
    if (!isAway) report.state("Typing…"); // else it goes on saying that the server is gone
    schedule();
  }

  function schedule(after = PAUSE) {
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(flush, after);
  }

  function batch() {
    const chosen = [...pending].filter(([, item]) => !items.unfinished(item));
    if (!chosen.length) return null;
    const data = { version: Number(form.elements.version.value), operation: crypto.randomUUID(), ...rest() };
    for (const [name, item] of chosen) { items.add(data, item); pending.delete(name); }
    return { data, sent: new Map(chosen.map(([name, item]) => [name, { item, value: items.read(item) }])) };
  }

  async function flush() {
    clearTimeout(timer);
    if (sending || isOver) return;
    sending = batch();
    if (sending) await attempt();
    else tell();
  }

  async function attempt() {
    if (!isAway) report.state("Saving…");
    let answer;
    try {
      const response = await request("PATCH", sending.data);
      if (response.status >= 500 || [401, 403, 429].includes(response.status)) throw new Error(String(response.status));
      answer = { ok: response.ok, ...(await response.json()) };
    } catch (problem) {
      const away = ["401", "403"].includes(problem.message) ? "Not saved: sign in again in another tab." : "Not saved: the server does not answer.";
      isAway = true;
      report.state(`${away} Kept on this device, trying again.`, "is-failing");
      wait = Math.min(wait * 2, LONGEST_WAIT);
      again = setTimeout(attempt, wait); // a timer of its own: whoever types on does not put it off
      return;
    }
    wait = PAUSE;
    isAway = false;
    const { data, sent } = sending;
    sending = null;
    if (answer.ok) acknowledge(data, sent, answer);
    else if (answer.code === "stale") await merging.bringTogether(sent, answer);
    else if (answer.code === "signed") over(sent);
    else refuse(data, sent, answer);
    if (pending.size) schedule();
  }

  function acknowledge(data, sent, answer) {
    form.elements.version.value = answer.version;
    const answered = items.answered(sent, answer);
    for (const [name, { item, value, kept }] of sent) {
      bases.set(name, kept ?? value);
      items.complain(item, "");
      if (items.same(items.read(item), value)) draft.forget([name]);
      else pending.set(name, item);
    }
    report.saved(answered.filter(({ item, value }) => items.same(items.read(item), value)), answer);
    tell(answer.saved_at);
  }

  function refuse(data, sent, answer) {
    const bad = items.faults(sent, answer.fields ?? {});
    const isNamed = [...bad.keys()].some((name) => sent.has(name)); // else nobody knows which of them it was
    for (const [name, { item }] of sent) {
      if (pending.has(name)) continue; // typed on meanwhile
      if (bad.has(name) || !isNamed) refused.set(name, item);
      else pending.set(name, item);
      if (bad.has(name)) items.complain(item, bad.get(name));
    }
    report.refused?.([...refused.values()]);
    report.state(`Not saved: ${answer.detail ?? "refused"}`, "is-failing");
  }

  function over(sent) {
    isOver = true;
    for (const [name, { item }] of sent) pending.set(name, item);
    report.state("Signed meanwhile: what is typed here is no longer saved. Write an addendum.", "is-failing");
  }

  function tell(at) {
    const open = [...pending.values()].filter((item) => items.unfinished(item));
    for (const item of open) items.complain(item, items.unfinished(item));
    if (held.size) report.state(`${held.size} changed by somebody else: choose`, "is-failing");
    else if (open.length) report.state(`${open.length} to finish${items.toFinish}`, "is-failing");
    else if (refused.size) report.state(`Not saved: ${[...refused.values()].map(items.labelOf).join(", ")}`, "is-failing");
    else if (!pending.size && !sending && at) report.state(`Saved ${at.slice(11, 16)}`);
    else if (!pending.size && !sending) report.state("Saved");
  }

  /** What the server has by itself is shown, unless something else waits to be saved; says whether it is. */
  function take(item, value) {
    const name = items.nameOf(item);
    bases.set(name, value);
    if (pending.has(name) || held.has(name) || sending?.sent.has(name)) return false;
    items.write(item, value);
    return true;
  }

  const merging = startMerging({ form, draft, items, report, pending, held, bases, request, touch, schedule, tell });
  addEventListener("online", () => { if (sending) { clearTimeout(again); attempt(); } else flush(); });
  /** Until everything is with the server; not for long, and not while it does not answer. */
  const whenSaved = async () => {
    for (let n = 0; n < 60 && (pending.size || sending) && wait === PAUSE; n += 1) {
      if (!sending) await flush();
      await new Promise((again) => setTimeout(again, 50));
    }
  };
  return { touch, take, flush, whenSaved, choose: merging.choose, restore: merging.restore, isBusy: () => pending.size + held.size + refused.size > 0 || sending !== null };
}
