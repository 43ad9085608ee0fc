/** A field to draw a signature into, beside the typed name. Without script there is none, and the name alone signs. */
const WIDTH = 600;
const HEIGHT = 200;
const MOST_POINTS = 4000;
const SVG = "http://www.w3.org/2000/svg";

for (const field of document.querySelectorAll("input[data-drawing]")) offer(field);

function offer(field) {
  const strokes = read(field.value);
  const pad = document.createElementNS(SVG, "svg");
  pad.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  pad.setAttribute("class", "signature-pad");
  pad.setAttribute("aria-hidden", "true"); // the typed name says the same
  const line = pad.appendChild(document.createElementNS(SVG, "path"));
  const clear = Object.assign(document.createElement("button"), { type: "button", textContent: "Clear the drawing" });
  clear.className = "btn btn-link";
  const hint = Object.assign(document.createElement("p"), { textContent: "You can also sign here with a finger or the mouse:" });
  field.after(hint, pad, clear);

  let drawing = null;
  const count = () => strokes.reduce((sum, stroke) => sum + stroke.length / 2, 0);
  const show = () => {
    line.setAttribute("d", strokes.map(path).join(""));
    field.value = strokes.length ? JSON.stringify(strokes) : "";
    clear.disabled = !strokes.length;
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    strokes.push(drawing = point(pad, event));
    show();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!drawing || count() >= MOST_POINTS) return;
    const [x, y] = point(pad, event);
    if (Math.hypot(x - drawing.at(-2), y - drawing.at(-1)) < 2) return;
    drawing.push(x, y);
    show();
  });
  for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, () => { drawing = null; });
  clear.addEventListener("click", () => { strokes.length = 0; show(); });
  show();
}

function point(pad, event) {
  const box = pad.getBoundingClientRect();
  const within = (share, most) => Math.min(Math.max(Math.round(share * most), 0), most);
  return [within((event.clientX - box.left) / box.width, WIDTH), within((event.clientY - box.top) / box.height, HEIGHT)];
}

function path(stroke) {
  const pairs = [];
  for (let n = 0; n < stroke.length; n += 2) pairs.push(`${stroke[n]} ${stroke[n + 1]}`);
  return `M${pairs[0]}${(pairs.length > 1 ? pairs.slice(1) : pairs).map((pair) => `L${pair}`).join("")}`;
}

function read(text) {
  try {
    return JSON.parse(text || "[]");
  } catch {
    return [];
  }
}
