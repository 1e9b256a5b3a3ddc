// Rows behind a number, and verbatims: who, where, when, what was said. Strangers' words are put on screen as text only.

function el(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function item(row, data, open) {
  const root = el("li", row.tone ? `row ${row.tone}` : "row");
  const head = el("p", "head");
  if (row.who) head.append(el("strong", "", row.who));
  if (row.where) head.append(el("span", "", row.where));
  const when = el("time", "", row.when);
  when.title = row.exact;
  head.append(when);
  if (row.worth) head.append(el("span", "worth", row.worth));
  root.append(head);
  root.append(data.quotes ? el("blockquote", "", row.text) : el("p", "text", row.text));
  const foot = el("p", "foot");
  if (row.tag) foot.append(el("span", "", row.tag));
  if (row.href) {
    const link = el("a", "", data.words.open);
    link.href = row.href;
    link.onclick = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a new tab, as everywhere
      event.preventDefault();
      open(row.case_id);
    };
    foot.append(link);
  }
  if (foot.childNodes.length) root.append(foot);
  return root;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".rows");
  root.className = data.quotes ? "rows quotes" : "rows";
  root.replaceChildren(...data.rows.map((row) => item(row, data, (id) => setTriggerValue("opened", id))));
}
