"""Tokens: taken with a password, kept as hashes, expiring, given back."""

from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from knox.models import AuthToken
from rest_framework.test import APIClient

from tests.integration.api.asking import API, RUNS, problem
from workflows import clock

pytestmark = pytest.mark.django_db
LOGIN, LOGOUT = f"{API}/auth/login/", f"{API}/auth/logout/"
PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture(autouse=True)
def ann(db: None) -> User:
    return User.objects.create_superuser("ann", password=PASSWORD)


def log_in(name: str = "ann", password: str = PASSWORD, **more: Any) -> Any:
    return APIClient().post(LOGIN, {"username": name, "password": password}, "json", **more)


def basic(pair: str) -> Any:
    header = "Basic " + b64encode(pair.encode()).decode()
    return APIClient().post(LOGIN, headers={"Authorization": header})


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_a_token_opens_the_api_until_it_is_given_back() -> None:
    answer = log_in()
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    client = with_token(answer.json()["token"])
    assert client.get(RUNS).status_code == 200
    assert client.post(LOGOUT).status_code == 204
    problem(client.get(RUNS), 401, "authentication_failed")
    problem(client.post(LOGOUT), 401, "authentication_failed")


def test_basic_authentication_takes_a_token_too() -> None:
    answer = basic(f"ann:{PASSWORD}")
    assert answer.status_code == 200
    assert with_token(answer.json()["token"]).get(RUNS).status_code == 200


def test_a_token_is_kept_as_a_hash_and_expires(ann: User) -> None:
    answer = log_in().json()
    kept = AuthToken.objects.get(user=ann)
    assert answer["token"] not in {kept.digest, kept.token_key}
    assert datetime.fromisoformat(answer["expiry"]) == kept.expiry
    assert clock.now() < kept.expiry < clock.now() + timedelta(days=1)
    AuthToken.objects.update(expiry=clock.now() - timedelta(seconds=1))
    problem(with_token(answer["token"]).get(RUNS), 401, "authentication_failed")
    ann.refresh_from_db()
    assert ann.last_login is not None


@pytest.mark.parametrize("pair", ["ann:wrong", "nobody:x", "ann:"])
def test_a_wrong_pair(pair: str) -> None:
    answers = [basic(pair)] if pair.endswith(":") else [basic(pair), log_in(*pair.split(":"))]
    for answer in answers:
        if pair.endswith(":"):
            problem(answer, 422, "input_invalid")
        else:
            refused = problem(answer, 401, "authentication_failed")
            assert "WWW-Authenticate" in answer
            assert "password" in refused["detail"]
    assert not AuthToken.objects.exists()


def test_who_is_not_active_gets_no_token(ann: User) -> None:
    token = log_in().json()["token"]
    User.objects.update(is_active=False)
    problem(log_in(), 401, "authentication_failed")
    problem(with_token(token).get(RUNS), 401, "authentication_failed")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/username"),
        ({"username": "ann"}, "/password"),
        ({"username": 7, "password": "x"}, "/username"),
        ({"username": "ann", "password": "x", "otp": "1"}, "/otp"),
        ({"username": "a" * 300, "password": "x"}, "/username"),
        ([], ""),
    ],
)
def test_odd_logins(body: Any, pointer: str) -> None:
    refused = problem(APIClient().post(LOGIN, body, "json"), 422, "input_invalid")
    assert refused["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("header", ["Basic", "Basic x y", "Basic !!!", "Basic /w=="])
def test_odd_headers(header: str) -> None:
    answer = APIClient().post(LOGIN, headers={"Authorization": header})
    assert answer.status_code in {401, 422}
    assert not AuthToken.objects.exists()


def test_a_name_with_a_nul_is_refused() -> None:
    problem(basic("a\0nn:x"), 422, "input_invalid")


def test_guessing_is_slowed_down_for_a_name_and_for_an_address() -> None:
    statuses = [log_in(password=f"guess{number}").status_code for number in range(10)]
    assert set(statuses) == {401}
    held = log_in()
    problem(held, 429, "throttled")
    assert 1 <= int(held["Retry-After"]) <= 60
    # A made-up address of a proxy is not believed, and another name is not held up yet.
    problem(log_in(headers={"X-Forwarded-For": "203.0.113.9"}), 429, "throttled")
    assert log_in("bob").status_code == 401
    found = [log_in(f"user{number}").status_code for number in range(60)]
    assert found[-1] == 429
