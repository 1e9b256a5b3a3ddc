const shown = new WeakMap()

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".root")
  const text = JSON.stringify(data)
  if (shown.get(root) === text) return
  shown.set(root, text)
  const list = el("ol", "acts")
  for (const act of data.acts) {
    const row = el("li", "act")
    const when = el("time", "", act.when)
    when.title = act.at
    const main = el("div", "main")
    put(main, el("b", act.machine ? "machine" : "", act.actor), document.createTextNode(` ${act.action}`))
    if (act.case && data.links) {
      const link = el("button", "", act.name)
      link.type = "button"
      link.onclick = () => setTriggerValue("open", act.case)
      put(main, document.createTextNode(" · "), link)
    }
    if (act.changes.length) main.appendChild(el("div", "changes", act.changes.join(" · ")))
    list.appendChild(put(row, when, main))
  }
  root.replaceChildren(data.acts.length ? list : el("div", "empty", data.empty))
}
