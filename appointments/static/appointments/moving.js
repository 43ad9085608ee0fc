/** Moving a visit: the one question to the server, and what is said about its answer. */

const LONGEST_WAIT = 15_000; // milliseconds

export function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** The original wall clock plus what it was dragged by: never through this browser's own zone. */
export function wallClock(starts, delta) {
  const at = new Date(`${starts}Z`);
  at.setUTCDate(at.getUTCDate() + (delta.days ?? 0));
  at.setUTCSeconds(at.getUTCSeconds() + (delta.seconds ?? 0));
  const [day, time] = at.toISOString().split("T");
  return { day, time: time.slice(0, 5) };
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

/**
 * Post a move; true when the server took it. `back` are the fields that undo it; `again(url, fields, back)` is what the
 * offered buttons do.
 */
export async function moveVisit(url, fields, back, again) {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        Accept: "application/json",
        "X-CSRFToken": document.querySelector("#visit-dialog [name=csrfmiddlewaretoken]").value,
      },
      body: new URLSearchParams(fields),
      signal: AbortSignal.timeout(LONGEST_WAIT),
    });
    const { detail, nearest = [] } = await answer.json();
    if (answer.ok) {
      say("success", detail, back ? [{ label: "Undo", act: () => again(url, back) }] : []);
    } else {
      const offers = nearest.map(({ text, ...free }) => ({ label: text, act: () => again(url, free, back) }));
      say("warning", `Not moved. ${detail}${offers.length ? " Nearest free times:" : ""}`, offers);
    }
    return answer.ok;
  } catch {
    say("error", "Not moved: the server could not be reached, or you were signed out. Try again.");
    return false;
  }
}
