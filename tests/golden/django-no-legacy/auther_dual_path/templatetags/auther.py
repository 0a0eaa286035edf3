"""`{% load auther %}`: the login button."""

from __future__ import annotations

from django import template

from ..session import login_url

register = template.Library()


@register.simple_tag
def auther_login_url(*, return_to: str = "/") -> str:
    """Give the address of the login button."""
    return login_url(return_to=return_to)
