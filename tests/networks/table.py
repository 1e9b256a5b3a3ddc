"""The networks that the whole product is proved on: one row each; the row of another network is all that it takes here."""

from collections.abc import Callable

from tests.networks.stage import Stage
from tests.networks.stage_bluesky import BlueskyStage
from tests.networks.stage_mastodon import MastodonStage
from tests.networks.stage_meta import FacebookStage, InstagramStage
from tests.networks.stage_reddit import RedditStage
from tests.networks.stage_x import XStage
from tests.networks.stage_youtube import YoutubeStage

STAGES: tuple[Callable[[], Stage], ...] = (
    XStage,
    FacebookStage,
    InstagramStage,
    MastodonStage,
    BlueskyStage,
    RedditStage,
    YoutubeStage,
)
