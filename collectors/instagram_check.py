"""Whether an Instagram account can be read as it is set up: said in plain words, setting by setting.

One small question for each list; what Meta answers names the permission that is missing. Hashtags are not asked for here:
each counts. To check another list, add it to `check`.
"""

from collectors.instagram_read import Options, account_of
from collectors.meta_errors import GoneError
from collectors.meta_graph import Graph
from collectors.wire import text_of
from domain.errors import ConfigurationError, RefusedError


def check(graph: Graph, page: str, account: str, options: Options) -> None:
    """See Collector."""
    try:
        me = text_of(graph.node("me", "id,name").get("id"))
    except RefusedError as error:
        raise ConfigurationError(f"Meta does not say whose token this is ({error}) Check access_token.") from error
    if me != page:
        raise ConfigurationError(
            f"The setting access_token belongs to {me or 'nobody'}, not to the Page {page}. Read "
            f"/{page}?fields=access_token with it in the Graph API Explorer: that is the token of the Page."
        )
    found = next(iter(_account(graph, page, account)))
    _probe(graph, found, "media")
    if options.tagged:
        _probe(graph, found, "tags", " Or set tagged to no.")
    if options.hashtags:
        _probe(graph, found, "recently_searched_hashtags", " Or leave the setting hashtags empty.")
    if options.messages:
        _probe(graph, page, "conversations", " Or set messages to no.", platform="instagram")


def _account(graph: Graph, page: str, account: str) -> frozenset[str]:
    try:
        connected = account_of(graph, page).ids
    except GoneError as error:
        raise ConfigurationError(
            f"No Instagram account is connected to the Page {page}. Connect one that is professional: on the Page, “Settings”, "
            "“Linked accounts”, “Instagram”."
        ) from error
    if account and account not in connected:
        raise ConfigurationError(
            f"The Page {page} is connected to the Instagram account {next(iter(connected))}, the setting account says "
            f"{account}. Make them agree, or leave account empty."
        )
    return connected


def _probe(graph: Graph, node: str, edge: str, instead: str = "", **params: str) -> None:
    try:
        graph.listing(node, edge, "id", limit=1, params=params)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}{instead}") from error
    except RefusedError as error:
        raise ConfigurationError(f"The list “{edge}” cannot be read. {error}{instead}") from error
