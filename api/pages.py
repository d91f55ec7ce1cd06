"""The portal's pages and what they load, all from this server, and the API reference."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.responses import HTMLResponse, JSONResponse

from api.static_files import TYPES, Files

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
    "/": "index.html",
    "/courses/{slug}": "course.html",
    "/lectures/{lecture_id}": "lecture.html",
    "/learn": "learn.html",
    "/certificates/{code}": "certificate.html",
    "/search": "search.html",
    "/invite": "invite.html",
    "/studio": "studio.html",
    "/admin": "admin.html",
}
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
    """`app.state.page_policy` must hold the pages' Content-Security-Policy when they are asked for."""
    routes = APIRouter(include_in_schema=False)
    pages = Files(portal, REVALIDATE)

    def page(file: str) -> None:
        async def show(request: Request) -> Response:
            response = await pages.get_response(file, request.scope)
            response.headers["Content-Security-Policy"] = request.app.state.page_policy
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
            return response

        path = next(path for path, name in PAGES.items() if name == file)
        routes.add_api_route(path, show, methods=["GET"], name=file)

    for file in PAGES.values():
        page(file)

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
