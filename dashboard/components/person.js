const shown = new WeakMap()

function spark(mood) {
  const [wide, high, edge] = [132, 32, 4]
  const svg = document.createElementNS(SVG, "svg")
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`)
  svg.setAttribute("role", "img")
  svg.setAttribute("aria-label", mood.text)
  const make = (name, attributes) => {
    const node = document.createElementNS(SVG, name)
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
    svg.appendChild(node)
    return node
  }
  const n = mood.points.length
  const x = (at) => (n === 1 ? wide / 2 : edge + (at * (wide - 2 * edge)) / (n - 1))
  const y = (level) => high - edge - (level * (high - 2 * edge)) / 2
  make("line", { class: "axis", x1: 0, x2: wide, y1: y(1), y2: y(1) })
  if (n > 1) make("polyline", { class: "track", points: mood.points.map((p, at) => `${x(at)},${y(p.level)}`).join(" ") })
  mood.points.forEach((p, at) => {
    const dot = make("circle", { class: `l${p.level}`, cx: x(at), cy: y(p.level), r: 3.5 })
    const title = document.createElementNS(SVG, "title")
    title.textContent = p.title
    dot.appendChild(title)
  })
  return svg
}

function section(root, title, children, none) {
  root.appendChild(el("h3", "", title))
  if (!children.length) root.appendChild(el("div", "none", none))
  put(root, ...children)
}

function event(item) {
  const row = el("div", "item")
  const main = el("div", "main")
  main.appendChild(el("div", item.late ? "late" : "", item.title))
  if (item.detail) main.appendChild(el("div", item.late ? "detail late" : "detail", item.detail))
  if (item.items) main.appendChild(el("div", "detail", item.items))
  const when = el("time", "", item.when)
  when.title = item.at
  return put(row, el("span", `dot ${item.kind}`), main, when)
}

function account(item) {
  const row = el("div", "item")
  const main = el("div", "main")
  let name = el("span", "", item.name || item.networkTitle)
  if (item.url) {
    name = el("a", "", item.name || item.networkTitle)
    name.href = item.url
    name.target = "_blank"
    name.rel = "noopener noreferrer nofollow"
  }
  const ground = el("div", "detail", [item.networkTitle, item.followers].filter(Boolean).join(" · "))
  const word = el("span", item.certain ? "chip" : "chip dashed", item.word)
  word.title = item.ground
  return put(row, glyph(item.network, item.networkTitle), put(main, name, ground), word)
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".body")
  const journal = parentElement.querySelector(".journal")
  journal.hidden = !data.id
  journal.textContent = data.id ? data.words.journal : ""
  journal.onclick = () => setTriggerValue("journal", data.id)
  const text = JSON.stringify(data)
  if (shown.get(root) === text) return
  shown.set(root, text)
  root.replaceChildren()
  if (!data.id) return
  const { words } = data
  put(root, el("div", "name", data.name), el("div", "sub", data.line))
  if (data.chips.length) put(root, put(el("div", "chips"), ...data.chips.map((chip) => el("span", "chip", chip))))
  section(root, words.mood, [data.mood.points.length ? put(el("div", "mood"), spark(data.mood), el("span", "", data.mood.text)) : el("div", "none", data.mood.text)], "")
  section(root, words.accounts, data.accounts.map(account), words.noAccounts)
  section(root, words.events, data.events.map(event), words.noEvents)
  section(root, words.others, data.others.map((item) => {
    const row = el("button", "item")
    row.type = "button"
    const when = el("time", "", item.ago)
    when.title = item.at
    const main = put(el("div", "main"), el("div", "", item.title), el("div", "detail", `${item.status} · ${item.sentiment.sign} ${item.sentiment.word}`))
    row.onclick = () => { deskBusy(true); deskPane("case"); setTriggerValue("open", item.id) }
    return put(row, glyph(item.network, item.networkTitle), main, when)
  }), words.noOthers)
}
