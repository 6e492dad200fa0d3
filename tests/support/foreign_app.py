"""A Celery app of another code base: it shares the broker, and knows nothing of Celeriac."""

import os

from celery import Celery

app = Celery("foreign", broker=os.environ["FOREIGN_BROKER"])
app.conf.update(
    broker_transport_options={"global_keyprefix": os.environ["FOREIGN_PREFIX"]},
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)


@app.task(name="foreign.add")
def add(one: int, other: int) -> int:
    return one + other


@app.task(name="foreign.refuse")
def refuse() -> None:
    raise ValueError("not here")
