// A sentence whose numbers open what they count. Pieces are put on screen as text, never as HTML.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".phrase");
  root.className = `phrase ${data.size}`;
  root.replaceChildren(
    ...data.pieces.map((piece) => {
      const node = document.createElement(piece.opens ? "button" : "span");
      node.textContent = piece.text;
      if (piece.tone) node.classList.add(piece.tone);
      if (piece.opens) {
        node.type = "button";
        node.title = data.hint;
        node.onclick = () => setTriggerValue("opened", piece.opens);
      }
      return node;
    }),
  );
}
