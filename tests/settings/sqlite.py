"""The tests marked `both_databases`, once more: a file of SQLite."""

from tests.support import places

places.point_project_at(places.SQLITE_URL)

from project.settings import *  # noqa: E402, F403
from tests.settings.common import *  # noqa: E402, F403
