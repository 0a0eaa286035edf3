"""`{% load auther %}`: the login button."""

from __future__ import annotations

from typing import Any

from django import template

from ..doors import login_target, login_url

register = template.Library()


@register.simple_tag(takes_context=True)
def auther_login_url(context: Any, *, cohort: str = "", return_to: str = "/") -> str:
    """Give the address of the login button."""
    return login_url(context["request"], cohort=cohort, return_to=return_to)


@register.simple_tag(takes_context=True)
def auther_login_target(context: Any, *, cohort: str = "") -> str:
    """Give `legacy` or `auther`: which side this browser signs in at."""
    return login_target(context["request"], cohort=cohort)
