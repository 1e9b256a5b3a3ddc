const shown = new WeakMap()

const MARKS = { sent: "✓", pending: "…", refused: "!", unknown: "?" }

function chips(parent, items) {
  for (const tag of items) {
    const chip = el("span", `chip ${tag.kind}${tag.dashed ? " dashed" : ""}`, tag.text)
    chip.title = tag.title
    parent.appendChild(chip)
  }
}

function away(url, text) {
  const link = el("a", "link", text)
  link.href = url
  link.target = "_blank"
  link.rel = "noopener noreferrer nofollow"
  return link
}

// A dot menu of acts; each asks once more in its place before it leaves. Escape closes, and the keyboard is where it was.
function menuOf(bubble, data, send) {
  const { words } = data
  const box = el("span", "more")
  const row = el("span", "acts")
  row.setAttribute("role", "group")
  row.setAttribute("aria-label", words.more)
  row.hidden = true
  const open = press("link dots", "⋯", () => (row.hidden ? list() : shut()))
  open.setAttribute("aria-label", words.more)
  open.title = words.more
  const show = (...nodes) => {
    row.replaceChildren(...nodes)
    row.hidden = false
    open.setAttribute("aria-expanded", "true")
    row.querySelector("button").focus({ preventScroll: true })
  }
  const shut = () => {
    row.hidden = true
    open.setAttribute("aria-expanded", "false")
    open.focus({ preventScroll: true })
  }
  const list = () => show(...bubble.menu.map((item) => press("link", item.title, () => ask(item))))
  const ask = (item) => {
    const go = press("sure", item.title, () => {
      go.disabled = true
      send("act", { id: bubble.id, case: data.id, act: item.act })
    })
    show(el("span", "ask", item.question), go, press("link", words.back, shut))
  }
  open.setAttribute("aria-expanded", "false")
  box.onkeydown = (event) => {
    if (event.key !== "Escape" || row.hidden) return
    event.stopPropagation()
    shut()
  }
  return put(box, open, row)
}

function stateOf(state, key, send) {
  const node = el("div", `state ${state.key}`)
  node.appendChild(el("span", "", `${MARKS[state.key]} ${state.text}`))
  if (state.reason) node.appendChild(el("span", "", `· ${state.reason}`))
  if (state.again) {
    const again = press("again", state.again, () => { again.disabled = true; send("again", key) })
    node.appendChild(again)
  }
  return node
}

function bubbleOf(bubble, data, desk, send) {
  const { words } = data
  const node = el("article", `bubble ${bubble.side}`)
  const by = el("div", "by")
  by.appendChild(el("b", "", bubble.side === "note" ? `${words.note} · ${bubble.name}` : bubble.name))
  if (bubble.handle) by.appendChild(el("span", "", bubble.handle))
  if (bubble.by) by.appendChild(el("span", "", `(${bubble.by})`))
  const when = el("time", "", bubble.when)
  when.title = bubble.at
  by.appendChild(when)
  for (const mark of [bubble.private ? words.private : "", bubble.hidden, bubble.edited]) if (mark) by.appendChild(el("span", "chip", mark))
  const stars = el("span", "stars", bubble.stars)
  stars.title = bubble.starsWord || ""
  stars.setAttribute("role", "img")
  stars.setAttribute("aria-label", bubble.starsWord || "")
  const wordless = bubble.stars && !bubble.text && !bubble.title && !bubble.gone
  if (bubble.stars && !wordless) by.appendChild(stars)
  const says = el("div", bubble.gone ? "says gone" : bubble.hidden ? "says veiled" : wordless ? "says only-stars" : "says")
  if (bubble.title) says.appendChild(el("span", "title", bubble.title))
  if (bubble.gone) says.textContent = bubble.gone
  else if (wordless) says.appendChild(stars)
  else put(says, ...(bubble.why ? shaded(bubble.why.pieces) : [document.createTextNode(bubble.text)]))
  put(node, by, says)
  if (bubble.media?.length) {
    const media = el("div", "links media")
    for (const one of bubble.media) media.appendChild(away(one.url, one.word))
    node.appendChild(media)
  }
  const foot = el("div", "links")
  if (bubble.mayAnswer && words.several) {
    if (bubble.target) foot.appendChild(el("span", "aim", words.answering))
    else {
      const aim = el("button", "link", words.answer)
      aim.type = "button"
      aim.onclick = () => send("aim", bubble.id)
      foot.appendChild(aim)
    }
  }
  if (bubble.url) foot.appendChild(away(bubble.url, words.source))
  if (bubble.menu) foot.appendChild(menuOf(bubble, data, send))
  if (bubble.tags?.length) node.appendChild(tagsOf(bubble, data, desk, send, foot))
  else if (foot.children.length) node.appendChild(foot)
  if (bubble.why) node.appendChild(whyOf(bubble, words, send))
  if (bubble.state) node.appendChild(stateOf(bubble.state, bubble.key, send))
  if (bubble.doing) node.appendChild(stateOf(bubble.doing, bubble.doing.row, send))
  return node
}

// The last words in sight; where they are longer than the column, their beginning.
function settleAt(scroller, head, last) {
  scroller.scrollTop = scroller.scrollHeight
  if (!last) return
  const over = head.getBoundingClientRect().bottom - last.getBoundingClientRect().top
  if (over > 0) scroller.scrollTop -= over + 8
}

// They stay in sight while the columns find their sizes, until the person moves.
function follow(state, scroller, head, list) {
  const settle = () => { if (state.settled === false) settleAt(scroller, head, list.lastChild) }
  const stop = () => { state.settled = true }
  state.sizes = new ResizeObserver(settle)
  for (const node of [scroller, list]) state.sizes.observe(node)
  for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) scroller.addEventListener(kind, stop, { passive: true })
}

// What is unchanged stays the same node: a selection, an open fold or a press of the mouse survives a silent refresh.
function reconcile(list, data, send, state) {
  const { nodes, desk } = state
  const kept = new Set()
  let place = list.firstChild
  for (const bubble of data.bubbles) {
    kept.add(bubble.id)
    const { at, ...lasting } = bubble
    const text = JSON.stringify([lasting, data.words])
    let entry = nodes.get(bubble.id)
    if (!entry || entry.text !== text) {
      const node = bubbleOf(bubble, data, desk, send)
      if (entry) {
        if (entry.node === place) place = node
        entry.node.replaceWith(node)
      }
      entry = { node, text }
      nodes.set(bubble.id, entry)
    }
    for (const sent of entry.node.querySelectorAll(".sending")) sent.classList.remove("sending")
    entry.node.querySelector("time").title = at
    if (entry.node === place) place = place.nextSibling
    else list.insertBefore(entry.node, place)
  }
  if (desk.reveal && nodes.has(desk.reveal)) desk.sight(nodes.get(desk.reveal).node)
  desk.reveal = null
  if (desk.focus && nodes.has(desk.focus.id)) refocus(nodes.get(desk.focus.id).node, desk)
  for (const [id, entry] of nodes) if (!kept.has(id)) { entry.node.remove(); nodes.delete(id) }
}

function fold(root, words) {
  const details = el("details", "root-post")
  const body = el("div", "body", root.title ? `${root.title}\n${root.text}` : root.text)
  const summary = el("summary", "", `${root.head} · ${root.when}`)
  summary.title = root.at
  if (root.url) body.appendChild(put(el("div"), away(root.url, words.source)))
  return put(details, summary, body)
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".root")
  const [empty, head, above, list] = root.children
  const state = shown.get(root) || { nodes: new Map(), desk: {} }
  shown.set(root, state)
  const turned = state.id !== data.id
  const grew = state.count !== data.bubbles.length
  state.id = data.id
  state.count = data.bubbles.length

  empty.hidden = Boolean(data.id)
  head.hidden = above.hidden = list.hidden = !data.id
  if (turned) {
    state.nodes.clear()
    state.desk = {}
    list.replaceChildren()
    above.replaceChildren()
  }
  if (!data.id) {
    empty.replaceChildren(el("strong", "", data.words.emptyTitle), el("span", "", data.words.emptyText))
    deskBusy(false)
    return
  }
  const [name, facts, why] = head.children
  name.replaceChildren(glyph(data.network, data.networkTitle), el("span", "", data.name))
  facts.replaceChildren()
  chips(facts, data.facts)
  why.textContent = data.why
  if (data.root && !above.children.length) above.appendChild(fold(data.root, data.words))
  const scroller = (parentElement.host || parentElement).closest(".st-key-desk_thread")
  state.desk.sight = (node) => {
    state.settled = true
    root.style.setProperty("--head", `${head.offsetHeight}px`)
    const room = (scroller?.clientHeight ?? innerHeight) - head.offsetHeight - 16
    node.scrollIntoView({ block: node.offsetHeight > room ? "start" : "nearest" })
  }
  state.send = setTriggerValue // nodes that stay from an earlier run speak through the newest one
  reconcile(list, data, (trigger, value) => state.send(trigger, value), state)
  deskBusy(false)
  if (!scroller) return
  if (!state.sizes) follow(state, scroller, head, list)
  if (turned || grew) {
    state.settled = false
    requestAnimationFrame(() => settleAt(scroller, head, list.lastChild))
  }
}
