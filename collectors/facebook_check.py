"""Whether a Page can be read as it is set up: said in plain words, setting by setting.

One small question for each list; what Facebook answers names the permission that is missing. To check another list, add it
to `_PROBES`.
"""

from collectors.facebook_read import Options
from collectors.meta_errors import GoneError
from collectors.meta_graph import Graph
from collectors.wire import text_of
from domain.errors import ConfigurationError, RefusedError

_PROBES = (("feed", ""), ("visitor_posts", ""), ("tagged", "tagged"), ("ratings", "ratings"))


def check(graph: Graph, page: str, options: Options) -> None:
    """See Collector."""
    try:
        me = text_of(graph.node("me", "id,name").get("id"))
    except RefusedError as error:
        raise ConfigurationError(f"Facebook does not say whose token this is ({error}) Check access_token.") from error
    if me != page:
        raise ConfigurationError(
            f"The setting access_token belongs to {me or 'nobody'}, not to the Page {page}. Read "
            f"/{page}?fields=access_token with it in the Graph API Explorer: that is the token of the Page."
        )
    for edge, switch in _PROBES:
        if not switch or getattr(options, switch):
            _probe(graph, page, edge, switch)
    if options.messages:
        _probe(graph, page, "conversations", "messages", platform="messenger")


def _probe(graph: Graph, page: str, edge: str, switch: str, **params: str) -> None:
    fields = "created_time" if edge == "ratings" else "id"
    instead = f" Or set {switch} to no." if switch else ""
    try:
        graph.listing(page, edge, fields, limit=1, params=params)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}{instead}") from error
    except GoneError as error:
        raise ConfigurationError(
            f"Facebook does not show this token the Page {page}. Check the setting page."
        ) from error
    except RefusedError as error:
        raise ConfigurationError(f"The list “{edge}” cannot be read. {error}{instead}") from error
