import pytest
from pytest_django import Settings

from workflows.effects.sealing import new_key, seal, unseal
from workflows.errors import ConfigurationError


@pytest.fixture
def keys(settings: Settings) -> Settings:
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": [new_key()]}
    return settings


def with_keys(settings: Settings, *keys: str) -> None:
    settings.CELERIAC = {**settings.CELERIAC, "SECRET_KEYS": list(keys)}


def test_a_value_comes_back_and_does_not_stand_in_what_is_kept(keys: Settings) -> None:
    sealed = seal("api", "correct horse ü")
    assert unseal("api", sealed) == "correct horse ü"
    assert "correct" not in sealed
    assert seal("api", "correct horse ü") != sealed


def test_a_new_key_goes_first_and_the_old_one_still_opens(settings: Settings) -> None:
    old, new = new_key(), new_key()
    with_keys(settings, old)
    sealed = seal("api", "value")
    with_keys(settings, new, old)
    assert unseal("api", sealed) == "value"
    again = seal("api", "value")
    with_keys(settings, new)
    assert unseal("api", again) == "value"
    with pytest.raises(ConfigurationError, match="none of the keys opens the secret 'api'"):
        unseal("api", sealed)


def test_what_was_sealed_for_another_name_is_refused(keys: Settings) -> None:
    with pytest.raises(ConfigurationError, match="other"):
        unseal("other", seal("api", "value"))


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA=="])
def test_what_was_tampered_with_is_refused(keys: Settings, sealed: str) -> None:
    with pytest.raises(ConfigurationError):
        unseal("api", sealed)


def test_without_a_key_nothing_is_kept(settings: Settings) -> None:
    with_keys(settings)
    with pytest.raises(ConfigurationError, match="CELERIAC_SECRET_KEYS"):
        seal("api", "value")


def test_a_wrong_key_is_not_repeated(settings: Settings) -> None:
    with_keys(settings, new_key(), "hunter2-is-no-key")
    with pytest.raises(ConfigurationError, match="key number 2") as caught:
        seal("api", "value")
    assert "hunter2" not in str(caught.value)
