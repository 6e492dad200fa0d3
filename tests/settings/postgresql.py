"""The whole suite: a private PostgreSQL, started by the first test that needs a database."""

from tests.support import places

places.point_project_at(places.POSTGRES_URL)

from project.settings import *  # noqa: E402, F403
from tests.settings.common import *  # noqa: E402, F403
