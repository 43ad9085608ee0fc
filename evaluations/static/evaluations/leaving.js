// Leaving a page that saves by itself: by its buttons once all is saved, and not unawares while something is not.

/** `isSettled` says that leaving needs no question, whatever is still to be saved. */
export function guardLeaving(saving, isSettled = () => false) {
  let isGoing = false;
  document.querySelector(".page-actions").addEventListener("click", async (event) => {
    const link = event.target.closest("a");
    if (!link || isGoing || !saving.isBusy()) return;
    event.preventDefault();
    await saving.whenSaved();
    isGoing = true;
    link.click();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) saving.flush(); });
  addEventListener("beforeunload", (event) => { if (saving.isBusy() && !isSettled()) event.preventDefault(); });
}
