"""A person at the dashboard, without a browser: signs in, reads pages, reveals a password."""

import html
import re
import urllib.parse
import urllib.request

import program
from world import ADMIN


class Person:
    """Signed in with e-mail, password and organization key."""

    def __init__(self, world):
        self.base = world.vault
        self.http = world.browser()
        login = self.page("/login")
        fields = {
            "csrf": csrf(login),
            "email": ADMIN,
            "password": world.secrets["admin-password"],
            "organization_key": world.secrets["organization-key"],
        }
        self.home = self.post("/login", fields)
        assert 'action="/logout"' in self.home, "nobody is signed in"

    def page(self, path):
        with self.http.open(self.base + path, timeout=program.PATIENCE) as answer:
            return answer.read().decode()

    def post(self, path, fields, accept="text/html"):
        data = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(self.base + path, data, {"accept": accept})
        with self.http.open(request, timeout=program.PATIENCE) as answer:
            return answer.read().decode()

    def reveal(self, credential):
        """The password as the page shows it after the click."""
        page = self.post(f"{address(credential)}/reveal", {"csrf": csrf(self.page(address(credential)))})
        shown = re.search(r'<output id="revealed"[^>]*>(.*?)</output>', page, re.DOTALL)
        return html.unescape(shown.group(1))


def address(credential):
    """The path of a credential's page."""
    return f"/clients/{credential['client']}/credentials/{credential['id']}"


def csrf(page):
    return html.unescape(re.search(r'name="csrf" value="([^"]*)"', page).group(1))
