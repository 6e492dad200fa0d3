"""Moments for people: exact, in the zone of the page, with the name of that zone.

`{% load moments %}`, then `{{ run.created_at|moment }}`, `{{ asked.due_at|minute }}`,
`{{ wait.since|away }}`.
"""

from datetime import datetime, timedelta

from django import template
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from workflows import clock

_NOW = timedelta(seconds=1)

register = template.Library()


@register.filter
def moment(value: datetime) -> SafeString:
    """Return `2 Jan 2030, 11:00:00 UTC`, of which only whole parts are put on a line."""
    return _marked(value, "H:i:s T")


@register.filter
def minute(value: datetime) -> SafeString:
    """Return `2 Jan 2030, 11:00 UTC`: for what people do, where seconds say nothing."""
    return _marked(value, "H:i T")


@register.filter
def away(value: datetime) -> str:
    """Return how far from now a moment is: `2 d 3 h ago`, `in 4 min`, `just now`."""
    length = clock.now() - value
    if abs(length) < _NOW:
        return "just now"
    return f"{clock.spoken(length)} ago" if length > _NOW else f"in {clock.spoken(-length)}"


def told_with_age(value: datetime | None) -> SafeString | str:
    """Return a moment and how far away it is, for a column of a list; `-` for none."""
    if value is None:
        return "-"
    html = '{} <span class="wf-quiet wf-whole">{}</span>'
    return format_html(html, moment(value), away(value))


def _marked(value: datetime, time: str) -> SafeString:
    local = localtime(value)
    html = (
        '<time datetime="{}"><span class="wf-whole">{}</span> <span class="wf-whole">{}</span>'
        "</time>"
    )
    day, time = format_date(local, "j M Y,"), format_date(local, time)
    return format_html(html, local.isoformat(), day, time)
