/** Drafts that pages keep on this device, under `PREFIX` and the number of the person; signing out takes theirs away. */
export const PREFIX = "atlas.draft.";

const leaving = document.querySelector("form[data-sign-out]");
let isLeaving = false;

leaving?.addEventListener("submit", () => { isLeaving = true; });
// Not at the submit: whoever is asked "leave the page?" and stays keeps the drafts.
addEventListener("pagehide", () => {
  if (!isLeaving) return;
  const own = `${PREFIX}${leaving.dataset.signOut}.`;
  for (const key of Object.keys(localStorage)) if (key.startsWith(own)) localStorage.removeItem(key);
});
