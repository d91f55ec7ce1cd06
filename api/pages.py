"""The portal's pages and what they load, all from this server, and the API reference."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import HTMLResponse, JSONResponse

from api import problems
from api.accepting import prefers_page
from api.shell import render
from api.static_files import TYPES, Files, Text

PORTAL: Final = Path(__file__).parent / "portal"
PACKAGES: Final = (
    "@fontsource-variable/noto-sans-sc",
    "hash-wasm",
    "hls.js",
    "shaka-player",
    "swagger-ui-dist",
)
"""What `/vendor/` serves of `node_modules`; nothing else in there is reachable."""
PAGES: Final = {
    "/": "catalogue.html",
    "/courses/{slug}": "course.html",
    "/lectures/{lecture_id}": "lecture.html",
    "/learn": "learn.html",
    "/certificates/{code}": "certificate.html",
    "/opportunities": "opportunities.html",
    "/search": "search.html",
    "/invite": "invite.html",
    "/studio": "studio.html",
    "/admin": "admin.html",
}
MISSING: Final = "missing.html"
UNFRAMED: Final = frozenset({"invite.html"})
"""The page behind an invitation leads nowhere else."""
NO_PAGES: Final = ("/v1", "/assets", "/vendor", "/health", "/metrics", "/openapi.json")
"""What programs read: a wrong address there is a problem, whoever asks."""
REVALIDATE: Final = "public, no-cache"
"""Pages and our own assets change with every release and carry no version in their names."""
VENDOR: Final = "public, max-age=3600"

DOCS_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Swagger UI writes style attributes; its scripts still come from files here only."""
_DOCS: Final = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Academy · API reference</title>
  <link rel="icon" href="/assets/mark.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/vendor/swagger-ui-dist/swagger-ui.css">
</head>
<body>
  <div id="reference"><p>The whole API as a document: <a href="/openapi.json">openapi.json</a></p></div>
  <script src="/vendor/swagger-ui-dist/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"""
_DOCS_START: Final = """if (window.SwaggerUIBundle) {
  SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true, validatorUrl: null });
}
"""


def install(app: FastAPI, portal: Path = PORTAL) -> None:
    """`app.state.page_policy` must hold the pages' Content-Security-Policy when they are asked for.

    Pages are put together here, once: an edited one is sent after a restart.
    """
    routes = APIRouter(include_in_schema=False)

    def page(path: str, file: str) -> None:
        text = Text(render(portal, file, path, framed=file not in UNFRAMED), REVALIDATE)

        async def show(request: Request) -> Response:
            return _as_page(request, text.answer(request.headers))

        routes.add_api_route(path, show, methods=["GET"], name=file)

    for path, file in PAGES.items():
        page(path, file)
    missing = render(portal, MISSING, "")

    async def lost(request: Request, error: Exception) -> Response:
        """A browser that follows a wrong link is told so on a page; programs get a problem."""
        parts = request.url.path.split("/")
        if f"/{parts[1]}" in NO_PAGES or not prefers_page(request.headers.get("accept", "")):
            return await problems.answer_to_framework(request, error)
        answer = HTMLResponse(
            missing, status_code=404, headers={"Cache-Control": "no-store", "Vary": "Accept"}
        )
        return _as_page(request, answer)

    app.add_exception_handler(404, lost)

    @routes.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(
            _DOCS, headers={"Content-Security-Policy": DOCS_POLICY, "Cache-Control": REVALIDATE}
        )

    @routes.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        found: FastAPI = request.app
        return JSONResponse(found.openapi(), headers={"Cache-Control": REVALIDATE})

    @routes.get("/docs/start.js")
    async def docs_start() -> Response:
        return Response(_DOCS_START, media_type=TYPES[".js"], headers={"Cache-Control": REVALIDATE})

    app.include_router(routes)
    app.mount("/assets", Files(portal / "assets", REVALIDATE), name="assets")
    for package in PACKAGES:
        folder = portal / "node_modules" / package
        app.mount(f"/vendor/{package}", Files(folder, VENDOR), name=package)


def _as_page(request: Request, response: Response) -> Response:
    response.headers["Content-Security-Policy"] = request.app.state.page_policy
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response
