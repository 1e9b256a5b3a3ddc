// A table of counts, shaded by their part of the row. Everything is put on screen as text, never as HTML.

function el(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function head(data) {
  const names = el("tr", "names");
  const corner = el("th", "corner");
  corner.append(el("span", "across", `${data.across} →`), el("span", "down", `${data.down} ↓`));
  names.append(corner);
  for (const title of data.columns) {
    const node = el("th");
    node.scope = "col";
    node.append(el("span", "slanted", title));
    names.append(node);
  }
  return names;
}

function cell(value, open) {
  const node = el("td", value.hit ? "hit" : value.text ? "miss" : "");
  node.style.setProperty("--share", `${Math.round(value.share * 100)}%`);
  if (!value.opens) {
    node.textContent = value.text;
    if (value.words) node.title = value.words;
    return node;
  }
  const button = el("button", "", value.text);
  button.type = "button";
  button.title = value.words;
  button.setAttribute("aria-label", value.words);
  button.onclick = () => open(value.opens);
  node.append(button);
  return node;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const open = (token) => setTriggerValue("opened", token);
  parentElement.querySelector("caption").textContent = data.caption;
  parentElement.querySelector("thead").replaceChildren(head(data));
  parentElement.querySelector("tbody").replaceChildren(
    ...data.rows.map((row) => {
      const line = el("tr");
      const title = el("th", "", row.title);
      title.scope = "row";
      line.append(title, ...row.cells.map((value) => cell(value, open)));
      return line;
    }),
  );
}
