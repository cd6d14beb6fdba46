"""Builds the console: its settings, servers and pages in one place."""

from fastapi import FastAPI

from console.settings import ConsoleSettings


def build(settings: ConsoleSettings) -> FastAPI:
    """Return the application."""
    app = FastAPI(title="coco console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return app
