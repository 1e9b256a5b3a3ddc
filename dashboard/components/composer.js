// case -> {reply, note, mode}: a draft stays while the person looks at other cases. No mode: where the network lets us answer.
const drafts = new Map()
const mounted = new WeakMap()

const memory = {
  of(id) {
    if (!drafts.has(id)) {
      let kept = null
      try { kept = JSON.parse(sessionStorage.getItem(`comptoir-draft-${id}`) || "null") } catch { kept = null }
      drafts.set(id, kept || { reply: "", note: "", mode: "" })
    }
    return drafts.get(id)
  },
  keep(id) {
    const draft = drafts.get(id)
    if (!draft.reply && !draft.note) sessionStorage.removeItem(`comptoir-draft-${id}`)
    else sessionStorage.setItem(`comptoir-draft-${id}`, JSON.stringify(draft))
  },
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".composer")
  const [area] = root.getElementsByTagName("textarea")
  const get = (cls) => root.querySelector(`.${cls}`)
  const [replyMode, privateMode, noteMode] = root.querySelectorAll(".mode")
  const [line, templates, menu, counter, send] = [get("line"), get("templates"), get("menu"), get("counter"), get("send")]
  const state = mounted.get(root) || {}
  mounted.set(root, state)
  const id = data.id
  root.hidden = !id
  if (!id) return undefined
  const draft = memory.of(id)

  // The server took what was sent under this draft: only now the words leave the box.
  if (state.sentDraft && state.sentCase === id && data.draft !== state.sentDraft) {
    if (state.sentMode === "note") { draft.note = ""; draft.mode = "" } else draft.reply = ""
    memory.keep(id)
    state.sentDraft = null
  }
  if (state.sentDraft && data.refusal && data.refusal !== state.refusal) state.sentDraft = null
  state.refusal = data.refusal

  // Privately only where the network has it for this message; at first there where it does not let us answer publicly.
  const mode = () => {
    if (draft.mode === "note") return "note"
    if (!data.private) return "reply"
    return draft.mode || (!data.allowed && data.private.allowed ? "private" : "reply")
  }

  const draw = () => {
    const now = mode()
    const note = now === "note"
    const secret = now === "private"
    const way = secret ? data.private : data
    const waiting = Boolean(state.sentDraft) && state.sentCase === id
    const may = note || way.allowed
    root.classList.toggle("note", note)
    root.classList.toggle("private", secret)
    replyMode.textContent = data.words.reply
    privateMode.textContent = data.words.private
    privateMode.hidden = !data.private
    noteMode.textContent = data.words.note
    replyMode.setAttribute("aria-pressed", String(now === "reply"))
    privateMode.setAttribute("aria-pressed", String(secret))
    noteMode.setAttribute("aria-pressed", String(note))
    line.className = may ? "line" : "line no"
    line.replaceChildren()
    if (note) line.appendChild(el("span", "", data.words.noteLine))
    else {
      if (!way.allowed) line.appendChild(el("span", "mark", "✕"))
      line.appendChild(el("span", "", way.permission))
      if (!way.allowed && data.source) {
        const link = el("a", "", data.words.source)
        link.href = data.source
        link.target = "_blank"
        link.rel = "noopener noreferrer nofollow"
        line.appendChild(link)
      }
    }
    area.disabled = !may
    const wanted = secret ? data.words.privatePlaceholder : data.words.placeholder
    area.placeholder = note ? data.words.notePlaceholder : way.allowed ? wanted : data.words.closed
    area.setAttribute("aria-label", note ? data.words.note : secret ? data.words.private : data.words.reply)
    const text = note ? draft.note : draft.reply
    if (area.value !== text) area.value = text
    const limit = note ? data.noteLimit : way.limit
    const length = [...text.trim()].length
    counter.hidden = !may || !(limit || length)
    counter.textContent = limit ? `${length.toLocaleString(data.lang)} / ${limit.toLocaleString(data.lang)}` : `${length.toLocaleString(data.lang)}`
    counter.className = limit && length > limit ? "counter over" : limit && length > limit * 0.9 ? "counter near" : "counter"
    templates.hidden = note || !way.allowed
    send.disabled = waiting || !may || !length || Boolean(limit && length > limit)
    send.replaceChildren(document.createTextNode(waiting ? data.words.leaving : note ? data.words.keep : secret ? data.words.sendPrivate : data.words.send))
    if (!waiting) send.appendChild(el("kbd", "", /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘⏎" : data.words.keys))
    area.style.height = "auto"
    area.style.height = `${Math.min(area.scrollHeight + 2, window.innerHeight * 0.34)}px`
  }

  const go = () => {
    if (send.disabled) return
    const sent = mode()
    state.sentDraft = data.draft
    state.sentCase = id
    state.sentMode = sent
    draw()
    setTriggerValue("send", { case: id, mode: sent, text: sent === "note" ? draft.note : draft.reply, draft: data.draft, target: data.target })
  }
  const turn = (wanted) => { draft.mode = wanted; draw(); area.focus() }

  replyMode.onclick = () => turn("reply")
  privateMode.onclick = () => turn("private")
  noteMode.onclick = () => turn("note")
  area.oninput = () => {
    if (mode() === "note") draft.note = area.value
    else draft.reply = area.value
    memory.keep(id)
    draw()
  }
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) { event.preventDefault(); go() }
    if (event.key === "Escape") area.blur()
  }
  send.onclick = go
  root.onclick = (event) => { if (!templates.contains(event.target)) templates.open = false }
  state.turn = turn
  if (!state.listen) {
    state.listen = (event) => state.turn(event.detail)
    document.addEventListener("comptoir:mode", state.listen) // the shortcuts r, p and i
  }

  const [summary] = templates.getElementsByTagName("summary")
  summary.textContent = data.words.templates
  menu.replaceChildren()
  for (const template of data.templates) {
    const choice = put(el("button"), el("b", "", template.title), el("span", "", template.text))
    choice.type = "button"
    choice.onclick = () => {
      const at = area.selectionStart ?? draft.reply.length
      const before = draft.reply.slice(0, at)
      draft.reply = before + (before && !/\s$/.test(before) ? " " : "") + template.text + draft.reply.slice(area.selectionEnd ?? at)
      memory.keep(id)
      templates.open = false
      draw()
      area.focus()
    }
    menu.appendChild(choice)
  }
  draw()
  return () => document.removeEventListener("comptoir:mode", state.listen)
}
