"""Small stand-ins for the big inputs of the training: a file of base weights, a data folder, a network."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np

from nlp.train import base

WORDS = ("▁le", "▁colis", "▁est", "▁perdu", "▁merci", "▁the", "▁parcel", "▁lost", "s", "e", "▁", "é", "😡", "ا", "▁لا")
PIECES = (*base.SPECIALS, *WORDS, "<mask>")
HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 64, 128
LABEL = {
    "directed": True, "intent": "product_defect", "secondary": [], "sentiment": "negative", "urgency": 1,
    "aspects": ["product_quality"], "churn": False, "toxic": False, "irony": False,
}  # fmt: skip


def pack_q4(values: np.ndarray) -> bytes:
    """fp32 -> blocks of 32: half-precision scale, then the low and the high halves in nibbles."""
    out = bytearray()
    for block in values.reshape(-1, 32):
        scale = np.float16(max(np.abs(block).max() / 7, 1e-4))
        numbers = (np.clip(np.rint(block / np.float32(scale)), -8, 7) + 8).astype(np.uint8)
        out += scale.tobytes() + (numbers[:16] | (numbers[16:] << 4)).tobytes()
    return bytes(out)


def tensors(seed: int = 0) -> dict[str, tuple[np.ndarray, bool]]:
    """Name in the file -> values and whether they are packed."""
    dice = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return (dice.standard_normal(shape) * 0.1).astype(np.float32)

    found = {
        "emb.word": (some(len(PIECES), HIDDEN), True),
        "emb.pos": (some(POSITIONS, HIDDEN), False),
        "emb.type": (some(2, HIDDEN), False),
        "emb.ln.w": (1 + some(HIDDEN), False),
        "emb.ln.b": (some(HIDDEN), False),
    }
    for layer in range(LAYERS):
        for part, shape in {
            "q": (HIDDEN, HIDDEN),
            "k": (HIDDEN, HIDDEN),
            "v": (HIDDEN, HIDDEN),
            "ao": (HIDDEN, HIDDEN),
        }.items():
            found[f"l{layer}.{part}.w"], found[f"l{layer}.{part}.b"] = (some(*shape), True), (some(HIDDEN), False)
        found[f"l{layer}.fi.w"], found[f"l{layer}.fi.b"] = (some(INNER, HIDDEN), True), (some(INNER), False)
        found[f"l{layer}.fo.w"], found[f"l{layer}.fo.b"] = (some(HIDDEN, INNER), True), (some(HIDDEN), False)
        for part in ("aln", "oln"):
            found[f"l{layer}.{part}.w"], found[f"l{layer}.{part}.b"] = (1 + some(HIDDEN), False), (some(HIDDEN), False)
    return found


def write_base(path: Path, magic: bytes = b"E5S1") -> dict[str, np.ndarray]:
    """A file of base weights; the values that were packed into it."""
    texts = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
    scores = np.linspace(-1, -9, len(PIECES)).astype("<f4")
    blob = b"".join(texts)
    sizes = struct.pack("<7ifi", HIDDEN, LAYERS, HEADS, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32)
    head = magic + struct.pack("<I", 1) + sizes
    head += struct.pack("<i4iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + offsets.tobytes() + scores.tobytes() + blob
    norm = struct.pack("<IBI", 0xA0, 1, 0x20)
    head += struct.pack("<iI", 1, len(norm)) + norm
    content = tensors()
    packed = {name: pack_q4(values) if small else values.tobytes() for name, (values, small) in content.items()}
    size = len(head) + 4 + sum(2 + len(name) + 1 + 4 + 16 for name in packed)
    directory, body = struct.pack("<i", len(packed)), b""
    for name, raw in packed.items():
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", int(content[name][1]), content[name][0].size, size + len(body), len(raw))
        body += raw
    path.write_bytes(head + directory + body)
    return {name: values for name, (values, _) in content.items()}


def write_lines(path: Path, lines: list[dict[str, object]]) -> None:
    """A JSON-lines file, `.gz` or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def line(text: str, label: str, split: str = "all", lang: str = "en", **more: object) -> dict[str, object]:
    """One line of a public set."""
    return {"text": text, "label": label, "lang": lang, "split": split, "source": "test", **more}


def write_data(folder: Path) -> None:
    """A data folder with every file that is read; numbered texts, and one text that leaks from part to part."""
    labels = folder / "labels"
    labels.mkdir(parents=True)
    numbers = ["un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize"]
    numbers += ["quatorze", "quinze", "seize", "vingt", "trente", "cent", "mille"]
    for name, lang in (
        ("freemobile_fr.jsonl", "fr"),
        ("trustpilot_fr_ecommerce.jsonl.gz", "fr"),
        ("complaints_en.jsonl.gz", "en"),
    ):
        stem = name.split(".")[0]
        texts = [f"{stem} {one} colis {two} perdu depuis {one} jours" for one in numbers for two in numbers[:3]]
        write_lines(folder / name, [line(text, "x", lang=lang) for text in texts])
        write_lines(labels / f"{stem}.jsonl", [{"row": row, **LABEL} for row in range(len(texts))])
    write_lines(
        labels / "written_retail.jsonl",
        [{"text": "freemobile_fr un colis un perdu depuis un jours", "lang": "fr", **LABEL}],
    )
    leak = "the very same words everywhere"
    splits = ("train", "val", "test")
    umsab = [line(f"umsab {one} {split}", "negative", split) for one in numbers for split in splits]
    write_lines(folder / "umsab.jsonl.gz", [*umsab, line(leak, "positive", "test")])
    tweets = [line(f"tweet {one} {split}", "neutral", split) for one in numbers for split in splits]
    write_lines(
        folder / "tweeteval_sentiment.jsonl.gz",
        [*tweets, line(leak, "positive", "train"), line("@user " + leak, "positive", "val")],
    )
    write_lines(
        folder / "airline_sentiment.jsonl",
        [line(leak.upper() + " 12!", "positive", confidence=0.5), line("late", "negative", confidence=1.0)],
    )
    write_lines(folder / "brand_emotion_en.jsonl.gz", [line("nice phone", "positive"), line("hm", "unclear")])
    write_lines(folder / "trustpilot_fr_services.jsonl.gz", [line("très bien", "positive", lang="fr", title="Parfait")])
    write_lines(folder / "typology_binary.jsonl.gz", [line("gut", "positive", "train", "de")])
    write_lines(folder / "cls_books_fr_en.jsonl.gz", [line("a dull book", "negative", "train")])
    write_lines(
        folder / "intent_mapped.jsonl.gz", [line("where is my order", "order_delivery_issue", "train", quality="human")]
    )
    absa = [["box", "Product Packaging#General", "negative"]]
    write_lines(folder / "m_absa_fr_en.jsonl.gz", [line("a torn box", "negative", "train", triplets=absa)])
    write_lines(folder / "tweeteval_irony.jsonl.gz", [line("great, rain again", "irony", "train")])
    write_lines(folder / "tweeteval_offensive.jsonl.gz", [line("you fool", "offensive", "train")])
    write_lines(folder / "toxicity_de.jsonl.gz", [line("du Narr", "toxic", "train", "de")])
    write_lines(folder / "mlma_hate.jsonl.gz", [line("quel idiot", "toxic", lang="fr")])
