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
    settings, secrets = {}, {}
    for one in spec.settings:
        value = given[one.key]
        if not value:
            continue
        if one.secret and not value.startswith("env:"):
            name = variable(key, one.key)
            secrets[name], value = value, f"env:{name}"
        settings[one.key] = value
    if secrets:
        keep(secrets)  # first: a source without its secrets would only wait
    context.store.sources.ensure(key, spec.key, title or spec.title, settings)
    title = title or spec.title
    told = t("{title} est enregistrée. Elle est vérifiée dans la minute : sa carte dira ce qui manque.", title=title)
    return Done(told)
