"""The door for people: the dashboard, its fonts and a word on its health, in one Streamlit app. Pages are in `dashboard/`."""

from pathlib import Path

import font_lato
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from domain.errors import ComptoirError

ENTRY = Path(__file__).parent / "dashboard" / "entry" / "app.py"
FONTS = Path(font_lato.__file__).parent / "files"


async def healthz(_request: Request) -> JSONResponse:
    """200 where the store answers, 503 with the reason where it does not."""
    from dashboard.main import open_shop

    try:
        _, store = await run_in_threadpool(open_shop)
        return JSONResponse({"status": "ok", "revision": await run_in_threadpool(store.revision)})
    except ComptoirError as error:
        return JSONResponse({"status": "error", "reason": str(error)}, status_code=503)


def in_words(error: BaseException) -> bool:
    """What a person sees of an error that nothing caught."""
    from dashboard.main import say_error

    return say_error(error)


routes = [Route("/healthz", healthz), Mount("/fonts", StaticFiles(directory=FONTS))]
app = st.App(ENTRY, routes=routes, on_script_error=in_words)
