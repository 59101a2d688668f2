"""A headless Chromium, and what it complains of."""

import os
import shutil

import pytest
import responses
from playwright.sync_api import sync_playwright

from fulfillment.tests.partner import BASE, ScriptedZendit


@pytest.fixture(scope="module")
def chromium():
    """Playwright keeps an event loop, in which Django would refuse its database."""
    found = shutil.which("chromium")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
    if before is not None:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def complaints():
    """What the browser complained of, and what it asked of others than us."""
    return []


@pytest.fixture
def zendit(settings):
    settings.ZENDIT_BASE_URL = BASE
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        yield ScriptedZendit(wire)
