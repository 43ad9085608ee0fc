// Saves what is typed shortly after a pause. Without this module the page's Save button does the same.
import { control, finding, note, plain, typed } from "./cells.js";

const form = document.getElementById("evaluation-form");
const state = document.getElementById("save-state");
const clock = document.getElementById("part-clock");
const part = form.dataset.part;
const token = form.elements.csrfmiddlewaretoken.value;
const pause = 900;
const pending = new Set();
let seconds = Number(clock?.dataset.seconds ?? 0);
let sending = null;
let timer = 0;
let wait = pause;
let leaving = null;

function body(cells) {
  const sent = { version: Number(form.elements.version.value), operation: crypto.randomUUID(), findings: [] };
  sent.section_seconds = { [part]: Math.floor(seconds) };
  for (const cell of cells) {
    if (cell.dataset.code) sent.findings.push(finding(cell));
    else if (cell.dataset.flag) (sent.red_flags ??= {})[cell.dataset.flag] = cell.querySelector(":checked").value;
    else if (cell.dataset.measure) (sent.measures ??= {})[cell.dataset.measure] = cell.value === "" ? null : Number(cell.value);
    else sent.conclusion = cell.value;
  }
  return sent;
}

const request = (method, data) => fetch(form.dataset.api, {
  method, body: data && JSON.stringify(data), credentials: "same-origin", keepalive: method === "PATCH" && document.hidden,
  headers: { "Content-Type": "application/json", "X-CSRFToken": token, Accept: "application/json" },
});

function say(text, failing = false) {
  state.textContent = text;
  state.classList.toggle("is-failing", failing);
}

// Somebody else saved: what they did not touch is sent again, what they did is shown beside ours.
async function conflict(cells) {
  const current = await (await request("GET")).json();
  const key = (f) => f.code + JSON.stringify(Object.entries(f.qualifiers).sort());
  const theirs = new Map(current.findings.map((f) => [key(f), f]));
  let differing = 0;
  for (const cell of cells) {
    const other = cell.dataset.code && theirs.get(key(finding(cell)));
    if (other && JSON.stringify(other.value) !== JSON.stringify(typed(cell))) {
      note(cell, `Yours: ${typed(cell)}. Saved meanwhile: ${other.value ?? other.status}. Change or press Save to keep yours.`);
      differing += 1;
    } else pending.add(cell);
  }
  form.elements.version.value = current.version;
  if (differing) say(`${differing} changed by somebody else`, true);
  if (pending.size) schedule();
}

function faults(cells, answer) {
  const found = cells.filter((cell) => cell.dataset.code);
  const bad = new Set();
  for (const [where, text] of Object.entries(answer.fields ?? {})) {
    const cell = where.startsWith("findings.") && found[Number(where.split(".")[1])];
    if (!cell) continue;
    note(cell, text);
    cell.classList.add("is-invalid");
    bad.add(cell);
  }
  say(`Not saved — ${answer.detail ?? "refused"}`, true);
  const rest = cells.filter((cell) => !bad.has(cell));
  if (bad.size && rest.length) { rest.forEach((cell) => pending.add(cell)); schedule(); }
}

async function save() {
  if (sending || !pending.size) return;
  const cells = [...pending];
  pending.clear();
  sending ??= { cells, data: body(cells) };
  await attempt();
}

// The same operation until an answer came: a lost answer is not applied twice.
async function attempt() {
  const { cells, data } = sending;
  say("Saving…");
  let answer;
  try {
    const response = await request("PATCH", data);
    if (response.status >= 500 || response.status === 429) throw new Error(String(response.status));
    answer = { status: response.status, ...(await response.json()) };
    sending = null;
    if (response.ok) saved(cells, answer);
    else if (answer.code === "stale") await conflict(cells);
    else faults(cells, answer);
  } catch {
    say("Not saved — retrying", true);
    wait = Math.min(wait * 2, 15000);
    sending ??= { cells, data };
    setTimeout(attempt, wait);
    return;
  }
  wait = pause;
  if (leaving) form.requestSubmit(leaving);
  else if (pending.size) schedule();
}

function saved(cells, answer) {
  form.elements.version.value = answer.version;
  cells.filter((cell) => cell.dataset.code).forEach((cell) => { note(cell, ""); cell.classList.remove("is-invalid"); });
  say(`Saved ${answer.saved_at.slice(11, 16)}`);
  const shown = document.querySelectorAll(".flag-list li").length;
  if (answer.open_red_flags.length !== shown && !pending.size) location.reload(); // the warning belongs on top, now
}

function schedule() {
  clearTimeout(timer);
  timer = setTimeout(save, pause);
}

form.addEventListener("input", ({ target }) => {
  const cell = target.closest("[data-code], [data-flag], [data-measure], [data-conclusion]");
  if (!cell) return;
  if (cell.dataset.code) {
    const status = control(cell, "status");
    if (target !== status && !target.name.endsWith("reason") && target.value !== "") status.value = "assessed";
    if (target === status && target.value === "assessed" && typed(cell) === null) return; // the value comes next
    plain(cell);
  }
  say("Typing…");
  pending.add(cell);
  schedule();
});
// The Save button sends the whole form. A save under way is waited for: two with one version would be a conflict.
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  pending.clear();
  if (!sending) return;
  event.preventDefault();
  leaving = event.submitter;
});
form.querySelectorAll("[data-code]").forEach(plain);
document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
setInterval(() => {
  if (document.hidden) return;
  seconds += 1;
  clock.textContent = `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  clock.closest(".part-tab").classList.toggle("is-over", seconds > clock.dataset.budget * 60);
}, 1000);
