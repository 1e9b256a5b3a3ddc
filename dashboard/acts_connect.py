"""Connecting a source from the dashboard: what was typed becomes a source, secrets go to their keeper. No Streamlit.

The dashboard calls no network: the worker checks a new source at its next turn, and what is missing stands on its card.
"""

import re
from collections.abc import Callable, Mapping

from dashboard.acts import Done
from dashboard.acts_sources import must_keep
from dashboard.context import Context
from dashboard.i18n import t
from dashboard.views_connect import variable
from domain.case import RuleError
from domain.contracts import CollectorSpec

_KEY = re.compile(r"[a-z0-9_-]{1,80}")


def connect_source(
    context: Context,
    spec: CollectorSpec,
    names: tuple[str, str],
    values: Mapping[str, str],
    keep: Callable[[Mapping[str, str]], None],
) -> Done:
    """Make a source of what was typed.

    Args:
        names: key and title of the source.
        keep: takes secrets by the names under which the source will ask for them.

    Raises:
        RuleError: something is missing or cannot be used; nothing was kept.
    """
    must_keep(context)
    key, title = (name.strip() for name in names)
    if not _KEY.fullmatch(key):
        raise RuleError("The key of a source is made of a-z, 0-9, _ and -. Nothing was saved.")
    if context.store.sources.get(key) is not None:
        raise RuleError("There is a source with this key already. Choose another one. Nothing was saved.")
    given = {one.key: values.get(one.key, "").strip() for one in spec.settings}
    missing = [one.key for one in spec.settings if one.required and not given[one.key]]
    if missing:
        raise RuleError(f"Still missing: {', '.join(missing)}. Nothing was saved.")
    if any(value.startswith("env:") for value in given.values()):
        # Whoever may connect a source may not have the server's own variables sent to an address of their choice.
        raise RuleError("Paste the value itself: env:NAME is for comptoir.toml only. Nothing was saved.")
    settings, secrets = {}, {}
    for one in spec.settings:
        value = given[one.key]
        if not value:
            continue
        if one.secret:
            name = variable(key, one.key)
            secrets[name], value = value, f"env:{name}"
        settings[one.key] = value
    used = {value for source in context.store.sources.all() for value in source.settings.values()}
    if used & {f"env:{name}" for name in secrets}:  # x-a and x_a ask for the same name
        raise RuleError("Another source keeps its secrets under the same name. Choose another key. Nothing was saved.")
    if secrets:
        keep(secrets)  # first: a source without its secrets would only wait
    context.store.sources.ensure(key, spec.key, title or spec.title, settings)
    title = title or spec.title
    told = t("{title} est enregistrée. Elle est vérifiée dans la minute : sa carte dira ce qui manque.", title=title)
    return Done(told)
