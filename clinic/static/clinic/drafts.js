/** Drafts that pages keep on this device; signing out takes them away. */
export const PREFIX = "atlas.draft.";

let isLeaving = false;

document.querySelector("form[data-sign-out]")?.addEventListener("submit", () => { isLeaving = true; });
// Not at the submit: whoever is asked "leave the page?" and stays keeps the drafts.
addEventListener("pagehide", () => {
  if (!isLeaving) return;
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
});
