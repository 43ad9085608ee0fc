/** Asking the server to change a visit: what is said about its answer, what is offered instead, and the way back. */

import { element } from "./visit_card.js";

const LONGEST_WAIT = 15_000; // milliseconds
let lastUndo = null;

/** Post a form; {ok, detail, nearest, which, can_override, undo}. Never throws: a lost connection is an answer too. */
async function post(url, fields) {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        Accept: "application/json",
        "X-CSRFToken": document.querySelector("#visit-dialog-move [name=csrfmiddlewaretoken]").value,
      },
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(LONGEST_WAIT),
    });
    return { ok: answer.ok, nearest: [], which: [], can_override: false, ...(await answer.json()) };
  } catch {
    const detail = "The server could not be reached, or you were signed out. Try again.";
    return { ok: false, lost: true, detail, nearest: [], which: [], can_override: false };
  }
}

export function say(kind, text, choices = []) {
  const notice = element("div", `notice is-${kind}`);
  const offers = element("div", "calendar-offers");
  for (const { label, act } of choices) {
    const button = element("button", "btn btn-outline-secondary btn-sm", label);
    button.type = "button";
    button.addEventListener("click", act);
    offers.append(button);
  }
  notice.append(element("span", "", text), offers);
  document.getElementById("calendar-says").replaceChildren(notice);
}

/** A change that needs no second thought: a step, or taking one back. True when it was made. */
export async function ask(url, fields, changed) {
  const answer = await post(url, fields);
  if (answer.ok) succeeded(answer, changed);
  else say("warning", answer.detail);
  await changed();
  return answer.ok;
}

/** A move. Where it is refused, the dialog offers what can be had and, to whom may, to override. */
export async function askToMove(url, fields, changed) {
  const answer = await post(url, fields);
  if (answer.ok) {
    succeeded(answer, changed);
    await changed();
    return true;
  }
  if (answer.lost) say("error", `Not moved. ${answer.detail}`);
  await changed(); // the visit is back where it was before anybody reads why
  if (answer.lost) return false;
  const instead = await refused(answer);
  return instead ? askToMove(url, { ...fields, ...instead }, changed) : false;
}

function succeeded({ detail, undo }, changed) {
  lastUndo = undo ? () => ask(undo.url, { event: undo.event }, changed) : null;
  say("success", detail, undo ? [{ label: "Undo", act: takeBack }] : []);
}

/** Take back the last change of this page; false when there is none. */
export function takeBack() {
  const undo = lastUndo;
  lastUndo = null;
  undo?.();
  return Boolean(undo);
}

/** Show why, and resolve to the fields of what was chosen instead, or to null. */
function refused({ detail, nearest, which, can_override: canOverride }) {
  const dialog = document.getElementById("refused-dialog");
  const times = document.getElementById("refused-times");
  const override = document.getElementById("refused-override");
  let instead = null;
  document.getElementById("refused-why").textContent = detail;
  // Where the clock is put back the time is fine, and only its pass is to be said; elsewhere another time is offered.
  const choices = which.length ? which : nearest.map((free) => ({ ...free, room: "" }));
  document.getElementById("refused-title").textContent = which.length ? "Which of the two?" : "Not moved";
  document.getElementById("refused-nearest").hidden = Boolean(which.length);
  document.getElementById("refused-offers").hidden = !choices.length;
  override.hidden = !canOverride;
  override.reset();
  override.elements.reason.required = canOverride;
  times.replaceChildren(
    ...choices.map(({ text, ...chosen }) => {
      const button = element("button", "btn btn-outline-secondary btn-sm", text);
      button.type = "button";
      button.addEventListener("click", () => {
        instead = chosen;
        dialog.close();
      });
      return button;
    }),
  );
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((settle) => {
    dialog.addEventListener("close", () => {
      const reason = override.elements.reason.value;
      settle(dialog.returnValue === "override" ? { override_reason: reason } : instead);
    }, { once: true });
  });
}
