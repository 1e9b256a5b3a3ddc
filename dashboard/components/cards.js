// Cards of numbers. Everything that comes from Python is put on screen as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

function el(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function line(points, className) {
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", points);
  path.setAttribute("class", className);
  path.setAttribute("vector-effect", "non-scaling-stroke");
  return path;
}

// From zero up; a day without data is a gap. The last value gets a dot, the target a dashed line.
function sparkline(values, target) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const low = Math.min(0, ...known);
  const high = Math.max(...known, target ?? 0, 0) || 1;
  const x = (index) => ((index / Math.max(1, values.length - 1)) * 100).toFixed(2);
  const y = (value) => (30 - ((value - low) / (high - low || 1)) * 28).toFixed(2);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 32");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "spark");
  svg.append(line(`M0 ${y(0)}H100`, "zero"));
  if (target !== null && target !== undefined) svg.append(line(`M0 ${y(target)}H100`, "target"));
  let drawing = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) pen = false;
    else {
      drawing += `${pen ? "L" : "M"}${x(index)} ${y(value)}`;
      if (!pen) drawing += "h0";
      pen = true;
    }
  });
  svg.append(line(drawing, "values"));
  const last = values.findLastIndex((value) => value !== null);
  svg.append(line(`M${x(last)} ${y(values[last])}h0`, "last"));
  return svg;
}

function help(card, words) {
  const panel = el("div", "panel");
  panel.hidden = true;
  panel.setAttribute("role", "note");
  for (const [label, text] of card.help) {
    panel.append(el("strong", "", label), el("p", "", text));
  }
  const button = el("button", "what", "?");
  button.type = "button";
  button.setAttribute("aria-label", `${words.help} : ${card.title}`);
  button.setAttribute("aria-expanded", "false");
  const close = () => {
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
  };
  button.onclick = () => {
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
  };
  button.onblur = () => setTimeout(close, 150);
  button.onkeydown = (event) => event.key === "Escape" && close();
  return [button, panel];
}

function draw(card, words, compact, open) {
  const root = el("article", "card");
  const head = el("header", "", "");
  head.append(el("h4", "", card.title));
  root.append(head);
  if (card.help.length) {
    const [button, panel] = help(card, words);
    head.append(button);
    root.append(panel);
  }
  const value = el(card.opens ? "button" : "div", card.quiet ? "value quiet" : "value", card.value);
  if (card.opens) {
    value.type = "button";
    value.title = words.open;
    value.onclick = () => open(card.opens);
  }
  root.append(value);
  if (!compact && !card.quiet) {
    const change = el("p", "change");
    if (card.change) change.append(el("span", card.doubt ? "" : card.tone, card.change));
    if (card.doubt) change.append(card.change ? ", " : "", el("span", "doubt", card.doubt));
    if (card.past) change.append(el("span", "past", card.past));
    root.append(change, sparkline(card.spark, card.target) ?? el("div", "spark"));
  }
  if (card.note || card.target_text) {
    const note = el("p", "note", card.note);
    if (card.target_text) note.append(card.note ? " · " : "", el("span", "goal", card.target_text));
    root.append(note);
  }
  return root;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cards");
  const open = (token) => setTriggerValue("opened", token);
  root.classList.toggle("compact", data.compact);
  root.style.setProperty("--columns", data.columns);
  root.replaceChildren(...data.cards.map((card) => draw(card, data.words, data.compact, open)));
}
