// The notice of the open red flags above the page, fetched anew when a save says that others are open.
export async function refreshFlags() {
  const page = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), "text/html");
  const fresh = page.getElementById("open-flags");
  if (fresh) document.getElementById("open-flags").replaceWith(fresh);
}
