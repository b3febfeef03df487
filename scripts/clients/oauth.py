"""requests-oauthlib, a published OAuth 2.0 client."""

import os

from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, LegacyApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from call import WRAPPER, create_body, expect_created

BRIDGE, CLIENT_ID, CLIENT_SECRET = (os.environ[name] for name in ("BRIDGE", "CLIENT_ID", "CLIENT_SECRET"))
TOKEN_URL = f"{BRIDGE}/oauth2/token"
USER = {"username": os.environ["USERNAME"], "password": os.environ["PASSWORD"]}


def use(name, client, **credentials):
    session = OAuth2Session(client=client)
    token = session.fetch_token(TOKEN_URL, **credentials)
    assert token["expires_in"] == 3600, token["expires_in"]
    answer = session.post(f"{BRIDGE}/services/apexrest/{WRAPPER}", json=create_body(f"requests_{name}"))
    assert answer.status_code == 200, answer.text
    expect_created(answer.json())
    print(f"requests-oauthlib: {name}")


in_body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "include_client_id": True}
in_header = {"auth": HTTPBasicAuth(CLIENT_ID, CLIENT_SECRET)}
use("credentials_in_header", BackendApplicationClient(CLIENT_ID), **in_header)
use("credentials_in_body", BackendApplicationClient(CLIENT_ID), **in_body)
use("password_in_header", LegacyApplicationClient(CLIENT_ID), **in_header, **USER)
use("password_in_body", LegacyApplicationClient(CLIENT_ID), **in_body, **USER)
try:
    OAuth2Session(client=BackendApplicationClient(CLIENT_ID)).fetch_token(
        TOKEN_URL, auth=HTTPBasicAuth(CLIENT_ID, "wrong")
    )
    raise AssertionError("a wrong secret got in")
except InvalidClientError as error:
    assert "credentials: wrong" in error.description, error
