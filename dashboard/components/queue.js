const known = new WeakMap() // per mounted list: what is on screen, so that only what changed is written again

function rowOf(item) {
  const row = el("li", "row")
  row.setAttribute("role", "option")
  row.id = `case-${item.id}`
  fillRow(row, item)
  return row
}

function fillRow(row, item) {
  row.className = item.open ? "row" : "row quiet"
  row.replaceChildren()
  const head = el("div", "line")
  const when = el("time", "when", item.ago)
  when.title = item.at
  put(head, glyph(item.network, item.networkTitle), el("span", "who", item.name))
  if (item.count > 1) {
    const count = el("span", "count", `${item.count}`)
    count.title = item.countWord
    head.appendChild(count)
  }
  if (item.holder) head.appendChild(el("span", "holder", `· ${item.holder}`))
  head.appendChild(when)
  const chips = el("div", "chips")
  const due = el("span", `chip ${item.due.state}`, item.due.text)
  due.title = item.due.at
  const mood = el("span", `chip sign ${item.sentiment.key}`, item.sentiment.sign)
  mood.title = item.sentiment.word
  mood.setAttribute("aria-label", item.sentiment.word)
  const matter = el("span", item.uncertain ? "chip dashed" : "chip", item.title)
  matter.title = item.department
  if (item.priority >= 2) {
    const rank = el("span", "chip urgent", item.priorityWord)
    rank.title = item.why
    chips.appendChild(rank)
  }
  put(chips, mood, due, matter)
  if (item.uncertain) chips.appendChild(el("span", "chip dashed", item.uncertainWord))
  put(row, head, el("div", "snippet", item.snippet), chips)
  row.title = item.why
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".root")
  const list = parentElement.querySelector(".list")
  const fresh = parentElement.querySelector(".fresh")
  const empty = parentElement.querySelector(".empty")
  const pages = parentElement.querySelector(".pages")
  const state = known.get(list) || { rows: new Map(), order: [], pending: null, timer: null }
  known.set(list, state)

  const select = (id) => {
    for (const [key, row] of state.rows) row.node.setAttribute("aria-selected", key === id ? "true" : "false")
    state.selected = id
    if (id) list.setAttribute("aria-activedescendant", `case-${id}`)
  }
  const pick = (id, wait) => {
    if (!id) return
    if (id !== state.selected) deskBusy(true)
    select(id)
    state.pending = id
    clearTimeout(state.timer)
    state.timer = setTimeout(() => setTriggerValue("pick", id), wait)
  }

  const seen = new Set()
  let place = list.firstChild
  for (const item of data.items) {
    seen.add(item.id)
    const text = JSON.stringify(item)
    let row = state.rows.get(item.id)
    if (!row) {
      row = { node: rowOf(item), text }
      state.rows.set(item.id, row)
    } else if (row.text !== text) {
      fillRow(row.node, item)
      row.text = text
    }
    row.node.onclick = () => { deskPane("case"); pick(item.id, 0) }
    if (row.node === place) place = place.nextSibling
    else list.insertBefore(row.node, place)
  }
  for (const [key, row] of state.rows) if (!seen.has(key)) { row.node.remove(); state.rows.delete(key) }
  state.order = data.items.map((item) => item.id)

  if (state.pending === data.selected) state.pending = null
  select(state.pending || data.selected)

  list.setAttribute("aria-label", data.words.list)
  list.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    const at = state.order.indexOf(state.selected)
    const next = state.order[Math.min(Math.max(at + step, 0), state.order.length - 1)]
    if (next && next !== state.selected) {
      pick(next, 150) // a held key walks the list without asking for every case on the way
      state.rows.get(next).node.scrollIntoView({ block: "nearest" })
    }
  }

  fresh.hidden = !data.fresh
  fresh.textContent = data.words.fresh
  fresh.onclick = () => setTriggerValue("show", Date.now())
  empty.hidden = data.items.length > 0
  empty.replaceChildren(el("strong", "", data.words.emptyTitle), el("span", "", data.words.emptyText))
  pages.hidden = data.pages < 2
  const [back, where, on] = pages.children
  back.textContent = data.words.back
  on.textContent = data.words.on
  where.textContent = data.words.where
  back.disabled = data.page <= 0
  on.disabled = data.page >= data.pages - 1
  back.onclick = () => setTriggerValue("page", data.page - 1)
  on.onclick = () => setTriggerValue("page", data.page + 1)

  // A selected row that "next" chose may be out of sight.
  if (data.selected && data.selected !== state.scrolled) {
    const chosen = state.rows.get(data.selected)
    if (chosen && state.scrolled) chosen.node.scrollIntoView({ block: "nearest" })
    state.scrolled = data.selected
  }
  root.dataset.ready = "1"
}
