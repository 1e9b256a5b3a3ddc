// The tags of a message: each opens its choices right there, one panel has them all, and why the model said so.
// `desk` is what outlives a redraw: { open: {id, field}, close, focus, reveal, sight }. Field "" is every question at once.

function same(a, b) {
  return Array.isArray(a) ? a.includes(b) : a === b
}

function press(cls, text, act) {
  const node = el("button", cls, text)
  node.type = "button"
  node.onclick = act
  return node
}

// What a click on an option answers: the option, or the list with it taken in or out.
function answerOf(bubble, question, value) {
  const now = bubble.answers[question.field]
  if (question.kind !== "many") return value
  return now.includes(value) ? now.filter((one) => one !== value) : [...now, value]
}

function optionOf(bubble, question, option, words, choose) {
  const now = bubble.answers[question.field]
  const chosen = same(now, option.value)
  const node = press("opt", "", () => choose(question, option.value))
  node.setAttribute("aria-pressed", String(chosen))
  node.dataset.field = question.field
  node.dataset.value = String(option.value)
  node.disabled = question.kind === "many" && !chosen && (now.length >= question.most || (question.field === "secondary" && option.value === bubble.answers.intent))
  put(node, el("span", "", option.text))
  if (same(bubble.model[question.field], option.value)) {
    const mark = el("small", "", words.model)
    mark.title = words.modelHint
    node.appendChild(mark)
  }
  return node
}

function sectionOf(title, note, options) {
  const set = el("fieldset")
  const legend = el("legend", "", title)
  if (note) legend.appendChild(el("small", "", note))
  return put(set, legend, put(el("div", "opts"), ...options))
}

// All flags in one section, each a switch; a flag alone is a yes or a no.
function flagsOf(bubble, flags, words, choose) {
  return flags.map((question) => {
    const usual = question.field === "directed"
    const on = bubble.answers[question.field] !== usual
    const node = optionOf(bubble, question, { value: !usual, text: question.word }, words, () => choose(question, on ? usual : !usual))
    node.setAttribute("aria-pressed", String(on))
    return node
  })
}

function drawChoices(panel, bubble, data, field, choose, close) {
  const { words, questions } = data
  const asked = questions.filter((question) => !field || question.field === field)
  const flags = field ? [] : asked.filter((question) => question.kind === "flag")
  const sections = asked.filter((question) => !flags.includes(question)).map((question) =>
    sectionOf(question.title, question.kind === "many" ? words.most.replace("{n}", question.most) : "", question.options.map((option) => optionOf(bubble, question, option, words, choose))))
  if (flags.length) sections.push(sectionOf(words.signs, "", flagsOf(bubble, flags, words, choose)))
  const foot = el("div", "end")
  if (!field) {
    const right = press("plain right", words.right, () => choose(null))
    right.title = words.rightHint
    foot.appendChild(right)
  }
  foot.appendChild(press("plain", words.close, close))
  panel.replaceChildren(...sections, foot)
  panel.setAttribute("aria-label", field ? asked[0]?.title || words.correct : words.correct)
}

function walk(event, panel, close) {
  if (event.key === "Escape") {
    event.stopPropagation()
    close()
    return
  }
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
  if (!step) return
  const stops = [...panel.querySelectorAll("button:not(:disabled)")]
  stops[(stops.indexOf(event.target) + step + stops.length) % stops.length]?.focus()
  event.preventDefault()
}

function chipOf(tag, words, toggle) {
  const cls = `chip tag ${tag.kind}${tag.dashed ? " dashed" : ""}`
  const node = tag.field ? press(cls, "", toggle) : el("span", cls)
  put(node, el("span", "", tag.text), tag.mark ? el("small", "", tag.mark) : null)
  node.title = tag.title
  if (!tag.field) return node
  node.dataset.field = tag.field
  node.setAttribute("aria-label", `${tag.title} ${words.correctHint}`)
  node.setAttribute("aria-haspopup", "dialog")
  node.setAttribute("aria-expanded", "false")
  return node
}

// `links`: what else can be done with the message; correcting and asking why come first among it.
function tagsOf(bubble, data, desk, send, links) {
  const { words } = data
  const box = el("div", "tagged")
  const row = el("div", "tags")
  row.setAttribute("role", "group")
  row.setAttribute("aria-label", words.tags)
  const panel = el("div", "choices")
  panel.setAttribute("role", "dialog") // the letters of the desk's shortcuts are nobody's business in here
  panel.hidden = true
  const mark = (field) => { for (const node of box.querySelectorAll("[data-field][aria-haspopup]")) node.setAttribute("aria-expanded", String(node.dataset.field === field)) }
  const hide = () => {
    panel.hidden = true
    desk.open = null
    mark(null)
  }
  const close = () => {
    const field = desk.open?.field
    hide()
    box.querySelector(`[aria-haspopup][data-field="${field}"]`)?.focus()
  }
  const choose = (question, value) => {
    const shown = [...new Set(bubble.tags.map((tag) => tag.field).filter(Boolean))]
    const answers = question ? { [question.field]: answerOf(bubble, question, value) } : Object.fromEntries(shown.map((field) => [field, bubble.answers[field]]))
    const stays = question && (question.kind === "many" || desk.open?.field === "")
    desk.focus = { id: bubble.id, field: question ? question.field : "", value: stays ? String(value) : null }
    if (!stays) hide()
    if (question?.kind === "one") {
      const chip = row.querySelector(`[data-field="${question.field}"]`)
      if (chip) chip.firstChild.textContent = question.options.find((option) => option.value === value).text
    }
    box.classList.add("sending")
    send("tag", { id: bubble.id, case: data.id, answers })
  }
  const draw = (field) => {
    drawChoices(panel, bubble, data, field, choose, close)
    panel.hidden = false
    mark(field)
  }
  const toggle = (field) => {
    const again = desk.open?.id === bubble.id && desk.open.field === field
    desk.close?.()
    if (again) return
    desk.close = hide
    desk.open = { id: bubble.id, field }
    draw(field)
    const first = panel.querySelector(".opt[aria-pressed='true']") || panel.querySelector(".opt")
    first?.focus({ preventScroll: true })
    desk.sight(box)
  }
  panel.onkeydown = (event) => walk(event, panel, close)

  for (const tag of bubble.tags) row.appendChild(chipOf(tag, words, () => toggle(tag.field)))
  if (bubble.unsure) {
    const right = press("chip right", words.right, () => choose(null))
    right.title = words.rightHint
    row.appendChild(right)
  }
  const correct = press("link", words.correct, () => toggle(""))
  correct.dataset.field = ""
  correct.setAttribute("aria-haspopup", "dialog")
  correct.setAttribute("aria-expanded", "false")
  const { field, value } = bubble.tags.find((tag) => tag.field === "intent")
  const ask = words.why ? press("link", words.why, () => {
    box.classList.add("sending")
    desk.reveal = bubble.id
    send("why", bubble.why ? { id: bubble.id } : { id: bubble.id, field, value: bubble.model[field] ?? value })
  }) : null
  ask?.setAttribute("aria-expanded", String(Boolean(bubble.why)))
  links.prepend(...[correct, ask].filter(Boolean))
  put(box, row, panel, links)
  if (desk.open?.id === bubble.id) {
    desk.close = hide
    draw(desk.open.field)
  }
  return box
}

// After a redraw the keyboard is where it was: on the choice just made, or on the tag that it changed.
function refocus(node, desk) {
  const { field, value } = desk.focus
  desk.focus = null
  const target = value === null ? null : [...node.querySelectorAll(".choices .opt")].find((one) => one.dataset.field === field && one.dataset.value === value)
  const chip = node.querySelector(`[aria-haspopup][data-field="${field}"]`) || node.querySelector('[aria-haspopup][data-field=""]')
  ;(target || chip)?.focus({ preventScroll: true })
}

// -- why -------------------------------------------------------------------------------------------------------------------

// The message itself, with the words that carried the tag shaded: how strongly by the shade, which way by hue and line.
function shaded(pieces) {
  return pieces.map((piece) => {
    if (!piece.shade) return document.createTextNode(piece.text)
    const node = el("mark", piece.shade > 0 ? "for" : "against", piece.text)
    node.style.setProperty("--w", `${Math.round(12 + 43 * Math.abs(piece.shade))}%`)
    return node
  })
}

function whyOf(bubble, words, send) {
  const { why } = bubble
  const box = el("section", "why-box")
  box.setAttribute("aria-label", why.head)
  const head = put(el("div", "why-head"), el("strong", "", why.head), press("plain", words.close, () => send("why", { id: bubble.id })))
  box.appendChild(head)
  if (why.none) box.appendChild(el("p", "none", why.none))
  else {
    box.appendChild(put(el("p", "legend"), el("mark", "for", words.for), el("mark", "against", words.against)))
    box.appendChild(put(el("ul", "for-readers"), ...why.lines.map((line) => el("li", "", line))))
  }
  const row = el("div", "tags")
  row.setAttribute("role", "group")
  row.setAttribute("aria-label", words.whyTags)
  for (const tag of why.tags) {
    const node = press("opt", tag.text, () => box.classList.add("sending") || send("why", { id: bubble.id, field: tag.field, value: tag.value }))
    node.setAttribute("aria-pressed", String(tag.chosen))
    row.appendChild(node)
  }
  if (why.tags.length > 1) box.appendChild(row)
  return box
}
