// What was typed and not yet acknowledged, kept on this device for this person and this evaluation. Whoever else works
// at the device neither sees nor loses it.
// A full or forbidden storage loses nothing by itself: the page still holds what was typed.
import { PREFIX } from "../clinic/drafts.js";

export function openDraft(user, evaluation) {
  const key = `${PREFIX}${user}.${evaluation}`;
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(key)) ?? {};
  } catch { /* begins empty */ }

  function store() {
    try {
      if (Object.keys(kept).length) localStorage.setItem(key, JSON.stringify(kept));
      else localStorage.removeItem(key);
    } catch { /* the page holds it */ }
  }
  return {
    /** [name, {value, base}] of what was left here; `base` is what the server had when it was typed. */
    left: () => Object.entries(kept),
    keep(name, value, base) { kept[name] = { value, base }; store(); },
    forget(names) { for (const name of names) delete kept[name]; store(); },
  };
}
