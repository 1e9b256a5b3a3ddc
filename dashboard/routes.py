"""What the app serves beside its pages: its letters, a word on its health, and an ear for webhooks.

A new address is a line in `ROUTES`.
"""

from pathlib import Path

import font_lato
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from dashboard.main import open_shop
from dashboard.webhooks import Reception
from domain.errors import ComptoirError

FONTS = Path(font_lato.__file__).parent / "files"


async def healthz(_request: Request) -> JSONResponse:
    """200 where the store answers, 503 with the reason where it does not."""
    try:
        _, store = await run_in_threadpool(open_shop)
        return JSONResponse({"status": "ok", "revision": await run_in_threadpool(store.revision)})
    except ComptoirError as error:
        return JSONResponse({"status": "error", "reason": str(error)}, status_code=503)


ROUTES: list[BaseRoute] = [
    Route("/healthz", healthz),
    Route("/hooks/{source}", Reception().hook, methods=["GET", "POST"]),
    Mount("/fonts", StaticFiles(directory=FONTS)),
]
