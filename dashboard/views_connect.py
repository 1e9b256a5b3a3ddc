"""What a network is, as the section “Connecter une source” shows it: facts, and the lines for comptoir.toml. Pure."""

from dashboard.i18n import t, told
from dashboard.views_spend import money
from domain.contracts import CollectorSpec


def facts(spec: CollectorSpec) -> list[tuple[str, str]]:
    """(label, words) of what is read, answered, asked for, limited and paid."""
    price = t("lire est gratuit")
    if spec.price_per_read:
        price = t("{price} par message lu", price=money(spec.price_per_read))
    found = (
        (t("Ce qui est lu"), told(spec.reads)),
        (t("Ce qui est répondu"), told(spec.answers)),
        (t("Autorisations"), ", ".join(spec.permissions)),
        (t("Limites"), told(spec.limits)),
        (t("Prix"), price),
        (t("Ce qui doit être effacé"), told(spec.retention)),
    )
    return [(label, words) for label, words in found if words]


def variable(source_key: str, setting: str) -> str:
    """Name of the environment variable that holds a secret of a source."""
    return f"{source_key}_{setting}".upper().replace("-", "_")


def snippet(spec: CollectorSpec) -> str:
    """Lines for comptoir.toml: what is needed as settings, what may be as comments; secrets by reference."""
    names = (("key", spec.key), ("collector", spec.key), ("title", spec.title))
    lines = ["[[sources]]", *(f'{name} = "{value}"' for name, value in names), "", "[sources.settings]"]
    for one in spec.settings:
        value = f"env:{variable(spec.key, one.key)}" if one.secret else ""
        lines.append(f'{"" if one.required else "# "}{one.key} = "{value}"')
    return "\n".join(lines)
