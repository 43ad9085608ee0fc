// What follows from what is typed: how much is missing, how the hour goes, and what the server's rules say.
import { askOrigin, isSaid } from "./items.js";

const ON_PACE_SECONDS = 120;

export function startFollowing({ form, initial }) {
  const clocks = new Map([...form.querySelectorAll("[data-clock]")].map((clock) => [clock.dataset.clock, clock]));
  const seconds = new Map([...clocks].map(([part, clock]) => [part, Number(clock.dataset.seconds)]));
  const pace = document.getElementById("pace");
  let current = initial;

  function missingIn(section) {
    const unsaid = [...section.querySelectorAll("[data-expected], [data-conclusion]")].filter((item) => !isSaid(item));
    return unsaid.length + section.querySelectorAll("[data-flag]:not(:has(:checked))").length;
  }

  function count(section) {
    askOrigin(section);
    const here = missingIn(section);
    const said = section.querySelector("[data-missing]");
    if (said) said.textContent = here ? `${here} missing` : "";
    const part = section.closest("[data-part]");
    const all = [...part.querySelectorAll("[data-section]")].reduce((sum, one) => sum + missingIn(one), 0);
    const mark = form.querySelector(`.entry-rail [data-missing="${part.dataset.part}"]`);
    mark.textContent = all || "done";
    if (all) mark.append(Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: " missing" }));
    mark.classList.toggle("is-done", !all);
    const total = [...form.querySelectorAll(".entry-rail [data-missing]")].reduce((sum, one) => sum + (parseInt(one.textContent, 10) || 0), 0);
    document.getElementById("missing-total").textContent = total;
  }

  function results(answer) {
    for (const one of answer.results) {
      const line = form.querySelector(`[data-result="${one.code}"]`);
      line.className = `result is-${one.tone}`;
      line.querySelector("dd").textContent = one.says;
    }
    const outside = new Set(answer.outside);
    for (const cell of form.querySelectorAll("[data-cell]")) cell.classList.toggle("is-outside", outside.has(cell.dataset.cell));
  }

  /** What is left of the visit: to its end while it is under way, else what the clocks leave of the booked time. */
  function left(spent) {
    const { booked, left: atFirst, underWay } = pace.dataset;
    return underWay === undefined ? booked * 60 - spent : Number(atFirst) - Math.floor(performance.now() / 1000);
  }

  function tick() {
    if (document.hidden) return;
    seconds.set(current, seconds.get(current) + 1);
    const clock = clocks.get(current), here = seconds.get(current);
    clock.firstChild.textContent = `${Math.floor(here / 60)}:${String(here % 60).padStart(2, "0")}`;
    clock.closest("a").classList.toggle("is-over", here > clock.dataset.budget);
    let spent = 0, over = 0;
    for (const [part, one] of seconds) { spent += one; over += Math.max(0, one - clocks.get(part).dataset.budget); }
    const rest = left(spent), booked = pace.dataset.booked * 60, said = document.getElementById("pace-left");
    said.textContent = rest >= 0 ? `${Math.floor(rest / 60)} min left` : `${Math.floor(-rest / 60)} min past the end`;
    said.classList.toggle("is-over", rest < 0);
    document.getElementById("pace-spent").textContent = Math.floor(spent / 60);
    document.getElementById("pace-words").textContent = over >= ON_PACE_SECONDS ? `${Math.floor(over / 60)} min over the plan` : "on pace";
    document.getElementById("pace-bar").value = Math.max(0, Math.min(100, ((booked - rest) / booked) * 100));
  }

  function enter(part) {
    if (!clocks.has(part)) return;
    current = part;
    for (const link of form.querySelectorAll("[data-to]")) {
      if (link.dataset.to === part) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
  }

  form.addEventListener("focusin", ({ target }) => { const part = target.closest("[data-part]"); if (part) enter(part.dataset.part); });
  addEventListener("hashchange", () => enter(location.hash.replace("#part-", "")));
  setInterval(tick, 1000);
  enter(initial);
  return { count, results, enter, current: () => current, seconds: () => Object.fromEntries([...seconds].filter(([, spent]) => spent > 0)) };
}
