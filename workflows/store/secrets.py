"""Secrets: only their ciphertexts pass through here."""

from collections.abc import Collection, Sequence

from workflows import clock
from workflows.models import Secret


def load_secrets(names: Collection[str]) -> dict[str, Secret]:
    """Return the secrets that there are among `names`."""
    return {each.name: each for each in Secret.objects.filter(name__in=names)}


def lock_secrets() -> list[Secret]:
    """Lock every secret, in one order, and return them."""
    return list(Secret.objects.select_for_update().order_by("name"))


def put_secret(name: str, sealed: str, *, hosts: Sequence[str] | None, user_id: int | None) -> bool:
    """Add or change a secret; its hosts stay as they are when none are given. True: it is new."""
    values = {"sealed": sealed, "updated_at": clock.now(), "updated_by_id": user_id}
    if hosts is not None:
        values["hosts"] = list(hosts)
    _, is_new = Secret.objects.update_or_create(name=name, defaults=values)
    return is_new


def reseal_secret(secret: Secret, sealed: str) -> None:
    """Keep the same value under another key; who has set it, and when, stays."""
    Secret.objects.filter(pk=secret.pk).update(sealed=sealed)


def delete_secret(name: str) -> bool:
    """Delete a secret; False when there is none."""
    deleted, _ = Secret.objects.filter(name=name).delete()
    return bool(deleted)
