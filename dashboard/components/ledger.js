// A small table whose numbers can be opened. Cells are put on screen as text, never as HTML.

function cell(name, value, open) {
  const node = document.createElement(name);
  if (value.tone) node.classList.add(value.tone);
  if (!value.opens) {
    node.textContent = value.text;
    return node;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = value.text;
  button.onclick = () => open(value.opens);
  node.append(button);
  return node;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const open = (token) => setTriggerValue("opened", token);
  const head = document.createElement("tr");
  for (const title of data.head) {
    const node = document.createElement("th");
    node.scope = "col";
    node.textContent = title;
    head.append(node);
  }
  parentElement.querySelector("caption").textContent = data.caption;
  parentElement.querySelector("thead").replaceChildren(head);
  parentElement.querySelector("tbody").replaceChildren(
    ...data.rows.map((row) => {
      const line = document.createElement("tr");
      row.forEach((value, index) => {
        const node = cell(index ? "td" : "th", value, open);
        if (!index) node.scope = "row";
        line.append(node);
      });
      return line;
    }),
  );
}
