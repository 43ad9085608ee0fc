// What follows from what is typed: how much is missing, how the hour goes, and what the server's rules say.
const ON_PACE_SECONDS = 120;

export function startFollowing({ form, initial }) {
  const clocks = new Map([...form.querySelectorAll("[data-clock]")].map((clock) => [clock.dataset.clock, clock]));
  const seconds = new Map([...clocks].map(([part, clock]) => [part, Number(clock.dataset.seconds)]));
  let current = initial;

  function missingIn(section) {
    const cells = section.querySelectorAll("[data-cell][data-expected]:not([data-status])").length;
    return cells + section.querySelectorAll("[data-flag]:not(:has(:checked))").length;
  }

  function count(section) {
    const here = missingIn(section);
    const said = section.querySelector("[data-missing]");
    if (said) said.textContent = here ? `${here} missing` : "";
    const part = section.closest("[data-part]");
    const all = [...part.querySelectorAll("[data-section]")].reduce((sum, one) => sum + missingIn(one), 0);
    const mark = form.querySelector(`.entry-rail [data-missing="${part.dataset.part}"]`);
    mark.textContent = all || (part.querySelector("[data-cell], [data-flag]") ? "done" : "");
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

  function tick() {
    if (document.hidden) return;
    seconds.set(current, seconds.get(current) + 1);
    const clock = clocks.get(current), spent = seconds.get(current);
    clock.firstChild.textContent = `${Math.floor(spent / 60)}:${String(spent % 60).padStart(2, "0")}`;
    clock.closest("a").classList.toggle("is-over", spent > clock.dataset.budget * 60);
    let all = 0, over = 0;
    for (const [part, one] of seconds) { all += one; over += Math.max(0, one - clocks.get(part).dataset.budget * 60); }
    document.getElementById("pace-spent").textContent = Math.floor(all / 60);
    document.getElementById("pace-words").textContent = over >= ON_PACE_SECONDS ? `· ${Math.floor(over / 60)} min over the plan` : "· on pace";
    document.getElementById("pace-bar").value = Math.min(100, (all / 60 / document.getElementById("pace").dataset.booked) * 100);
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
  setInterval(tick, 1000);
  enter(initial);
  return { count, results, enter, seconds: () => Object.fromEntries([...seconds].filter(([, spent]) => spent > 0)) };
}
