"""The browser of this machine."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # containers give none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str | None:
    """Return where a Chromium is: what PYTAKE_BROWSER names, else the first on the PATH; None when there is none."""
    named = os.environ.get("PYTAKE_BROWSER")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)
