export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const bar = parentElement.querySelector(".tabs")
  bar.setAttribute("aria-label", data.label)
  while (bar.children.length > data.tabs.length) bar.lastChild.remove()
  while (bar.children.length < data.tabs.length) {
    const button = put(el("button", "tab"), el("span", "t"), el("span", "n"))
    button.type = "button"
    button.setAttribute("role", "tab")
    bar.appendChild(button)
  }
  data.tabs.forEach((tab, at) => {
    const button = bar.children[at]
    button.className = tab.warn ? "tab warn" : "tab"
    button.dataset.view = tab.key
    button.setAttribute("aria-selected", String(tab.chosen))
    button.children[0].textContent = tab.title
    button.children[1].textContent = tab.count
    button.onclick = () => {
      for (const other of bar.children) other.setAttribute("aria-selected", String(other === button))
      deskPane("queue")
      setTriggerValue("pick", tab.key)
    }
    button.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
      if (step) bar.children[(at + step + data.tabs.length) % data.tabs.length].focus()
    }
  })
}
