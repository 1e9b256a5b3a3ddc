// Tells the page that the store has changed, so that only then the columns are drawn again.

const marks = new WeakMap()

export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".root")
  const before = marks.get(root)
  marks.set(root, data.mark)
  if (before !== undefined && before !== data.mark) setTriggerValue("beat", data.mark)
}
