// One message to label. What is chosen lives here until the person is done with the message; words come with the data.

const mounted = new WeakMap()

// The digits are found by their place on the keyboard: on a French one they need no shift. Letters are what is printed.
function keyOf(event) {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code || "")
  return digit ? digit[1] : (event.key || "").toLowerCase()
}

function typing(event) {
  const target = event.composedPath()[0]
  return target instanceof Element && (target.matches("input, textarea, select, [contenteditable='true']") || Boolean(target.closest("[role='dialog'], dialog")))
}

// Enter and the arrows belong to whatever holds the focus; ours they are where that is in here, or nowhere.
function elsewhere(event, root) {
  return event.target !== document.body && !event.composedPath().includes(root)
}

function kbd(text) {
  if (!text) return null
  const node = el("kbd", "", text)
  node.setAttribute("aria-hidden", "true")
  return node
}

function button(cls, pressed) {
  const node = el("button", cls)
  node.type = "button"
  node.setAttribute("aria-pressed", String(pressed))
  return node
}

// -- answers: pure changes of what is chosen ---------------------------------------------------------------------------

function has(answers, question, value) {
  if (question.kind === "flags") return answers[value] === true
  const now = answers[question.field]
  return Array.isArray(now) ? now.includes(value) : now === value
}

function toggled(list, value, most) {
  if (list.includes(value)) return list.filter((other) => other !== value)
  return list.length < most ? [...list, value] : list
}

function choose(answers, question, value) {
  if (question.kind === "flags") return { ...answers, [value]: answers[value] !== true }
  if (question.kind === "many") return { ...answers, [question.field]: toggled(answers[question.field], value, question.most) }
  const next = { ...answers, [question.field]: value }
  if (question.kind === "intent") next.secondary = answers.secondary.filter((other) => other !== value)
  return next
}

function chooseBeside(answers, question, value) {
  if (answers[question.field] === value) return answers
  return { ...answers, secondary: toggled(answers.secondary, value, question.most) }
}

// -- drawing -------------------------------------------------------------------------------------------------------------

function drawMessage(node, message, words) {
  node.replaceChildren()
  if (message.previous) {
    const before = put(el("details", "before"), el("summary", "", `${words.before} · ${message.previous.who}`), el("p", "", message.previous.text))
    before.open = message.previous.text.length < 280
    node.appendChild(before)
  }
  const when = el("time", "", message.when)
  when.title = message.at
  const head = put(el("div", "head"), glyph(message.network, message.networkTitle), el("b", "", message.networkTitle))
  for (const fact of message.facts) head.appendChild(el("span", "", fact))
  if (message.stars) {
    const stars = el("span", "stars", message.stars)
    stars.setAttribute("aria-label", message.starsWord)
    stars.title = message.starsWord
    head.appendChild(stars)
  }
  put(head, when)
  node.appendChild(head)
  if (message.title) node.appendChild(el("h3", "", message.title))
  node.appendChild(el("p", message.text.length > 400 ? "text long" : "text", message.text))
}

function drawOption(state, question, option) {
  const pressed = has(state.answers, question, option.value)
  const node = button(`opt ${option.tone || ""} ${state.proposed(question, option.value) ? "proposed" : ""}`, pressed)
  node.dataset.value = option.value
  if (option.hint) node.title = option.hint
  if (question.kind === "flags" || question.kind === "many") node.appendChild(el("span", "tick", pressed ? "✓" : ""))
  if (option.sign) node.appendChild(el("span", "sign", option.sign))
  put(node, el("span", "word", option.title), kbd(option.key))
  node.onclick = () => state.choose(question, option.value)
  if (question.kind !== "intent") return node
  const beside = state.answers.secondary.includes(option.value)
  const also = button("also", beside)
  also.textContent = beside ? "✓" : "+"
  also.title = also.ariaLabel = state.data.words.also.replace("{title}", option.title)
  also.disabled = state.answers[question.field] === option.value
  also.onclick = () => state.chooseBeside(question, option.value)
  return put(el("div", beside ? "pair beside" : "pair"), node, also)
}

function drawQuestion(state, question) {
  const set = el("fieldset", question.kind)
  set.dataset.field = question.field
  const missing = question.required && state.answers[question.field] === undefined
  if (missing && state.asked) set.classList.add("missing")
  const open = state.guides.has(question.field)
  const help = button("help", open)
  help.textContent = "?"
  help.setAttribute("aria-expanded", String(open))
  help.title = help.ariaLabel = `${state.data.words.guide} · ${question.title}`
  help.onclick = () => {
    if (!state.guides.delete(question.field)) state.guides.add(question.field)
    state.draw()
  }
  const legend = put(el("legend"), el("span", "", question.title), help)
  if (question.kind === "intent") legend.insertBefore(el("small", "", state.data.words.alsoLine), help)
  set.appendChild(legend)
  if (open) set.appendChild(put(el("ul", "guide"), ...question.guide.map((line) => el("li", "", line))))
  set.appendChild(put(el("div", "opts"), ...question.options.map((option) => drawOption(state, question, option))))
  return set
}

function drawAfter(node, after) {
  node.hidden = !after
  if (!after) return
  node.replaceChildren(el("b", "", after.text))
  if (after.lines.length) node.appendChild(put(el("ul"), ...after.lines.map((line) => el("li", "", line))))
}

// -- the component -------------------------------------------------------------------------------------------------------

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".root")
  const find = (cls) => root.querySelector(`.${cls}`)
  const state = mounted.get(root) || { guides: new Set() }
  mounted.set(root, state)
  const fresh = state.id !== data.id || state.turn !== data.turn
  state.data = data

  if (fresh) {
    const moved = state.id !== undefined && state.id !== data.id
    state.id = data.id
    state.turn = data.turn
    state.busy = false
    state.asked = false
    state.answers = { ...data.chosen }
    if (moved) root.scrollIntoView({ block: "start" })
  }

  const required = data.questions.filter((question) => question.required)
  const missing = () => required.filter((question) => state.answers[question.field] === undefined)
  const send = (kind) => {
    if (state.busy) return
    if (kind === "give" && missing().length) {
      state.asked = true
      state.draw()
      root.querySelector("fieldset.missing")?.scrollIntoView({ block: "nearest" })
      return
    }
    if (kind === "back" && !data.canBack) return
    state.busy = true
    state.draw()
    setTriggerValue("act", { kind, id: data.id, answers: kind === "give" ? state.answers : null })
  }
  const set = (answers) => {
    if (state.busy) return
    state.answers = answers
    state.draw()
  }
  state.choose = (question, value) => set(choose(state.answers, question, value))
  state.chooseBeside = (question, value) => set(chooseBeside(state.answers, question, value))
  state.proposed = (question, value) => data.suggested && has(data.chosen, question, value)

  const [back, stop, skip, done, note] = ["back", "stop", "skip", "send", "missing"].map(find)
  back.onclick = () => send("back")
  stop.onclick = () => send("stop")
  skip.onclick = () => send("skip")
  done.onclick = () => send("give")
  root.querySelector("form").onsubmit = (event) => event.preventDefault()

  state.draw = () => {
    const held = root.getRootNode().activeElement
    const where = held?.closest?.("fieldset") && { field: held.closest("fieldset").dataset.field, cls: held.classList[0], value: held.dataset.value }
    root.classList.toggle("busy", state.busy)
    find("pile").textContent = data.words.pile
    find("progress").textContent = data.progress
    find("track").firstChild.style.width = `${Math.round(100 * data.part)}%`
    back.replaceChildren(put(el("span"), el("span", "", data.words.back)), kbd("⌫"))
    back.disabled = !data.canBack
    stop.textContent = data.words.stop
    skip.replaceChildren(el("span", "", data.words.skip), kbd("→"))
    done.replaceChildren(el("span", "", state.busy ? data.words.wait : data.words.done), kbd("⏎"))
    done.disabled = skip.disabled = state.busy
    const open = missing()
    note.textContent = state.asked && open.length ? `${data.words.missing} ${open.map((question) => question.title).join(", ")}` : data.words.model
    note.classList.toggle("late", state.asked && open.length > 0)
    find("asked").replaceChildren(...data.questions.map((question) => drawQuestion(state, question)))
    if (where) {
      const again = root.querySelector(`fieldset[data-field="${where.field}"]`)
      const target = where.value === undefined ? again?.querySelector(`.${where.cls}`) : [...again.querySelectorAll(`.${where.cls}`)].find((node) => node.dataset.value === where.value)
      target?.focus({ preventScroll: true })
    }
  }
  find("error").hidden = !data.error
  find("error").textContent = data.error
  if (fresh) {
    drawMessage(find("said"), data.message, data.words)
    drawAfter(find("after"), data.after)
  }
  state.draw()

  state.press = (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || typing(event)) return
    const kind = { Enter: "give", ArrowRight: "skip", Backspace: "back", ArrowLeft: "back" }[event.key]
    if (kind && elsewhere(event, root)) return
    if (kind) send(kind)
    else {
      const key = keyOf(event)
      const question = key && data.questions.find((one) => one.options.some((option) => option.key === key))
      if (!question) return
      const { value } = question.options.find((option) => option.key === key)
      if (event.shiftKey && question.kind === "intent") state.chooseBeside(question, value)
      else state.choose(question, value)
    }
    event.preventDefault()
    event.stopImmediatePropagation() // Streamlit has shortcuts of its own on some of these letters
  }
  if (!state.listen) {
    state.listen = (event) => state.press(event)
    window.addEventListener("keydown", state.listen, true)
  }
  root.dataset.ready = data.id
  return () => {
    window.removeEventListener("keydown", state.listen, true)
    state.listen = null
  }
}
