"""simple-salesforce, used against the wrapper as it is used against Salesforce.

It logs in at https://<domain>.salesforce.com only, so its session sends what is meant for that host to the bridge."""

import os

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed

from call import WRAPPER, create_body, expect_created

BRIDGE, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD, WORK = (
    os.environ[name] for name in ("BRIDGE", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "WORK")
)
LOGIN = "https://bridge.salesforce.com"


class ToBridge(HTTPAdapter):
    """Sends requests for the login host to the bridge."""

    def send(self, request, *args, **kwargs):
        request.url = request.url.replace(LOGIN, BRIDGE, 1)
        return super().send(request, *args, **kwargs)


def login(**credentials):
    session = requests.Session()
    session.mount(LOGIN, ToBridge())
    return Salesforce(domain="bridge", session=session, **credentials)


def use(name, client):
    assert f"https://{client.sf_instance}" == BRIDGE, client.sf_instance
    expect_created(client.apexecute(WRAPPER, method="POST", data=create_body(f"simple_salesforce_{name}")))
    print(f"simple-salesforce: {name}")


app = {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET}
by_password = login(username=USERNAME, password=PASSWORD, **app)
use("password", by_password)
use("client_credentials", login(**app))
use("jwt_bearer", login(username=USERNAME, consumer_key=CLIENT_ID, privatekey_file=f"{WORK}/connector.key"))
use("session_id", Salesforce(instance_url=BRIDGE, session_id=by_password.session_id))
try:
    login(username=USERNAME, password="wrong", **app)
    raise AssertionError("a wrong password got in")
except SalesforceAuthenticationFailed as error:
    assert error.code == "invalid_grant", error
