"""What a description cannot say of this bridge: which contact centers and certificates are configured, and that a call's key
stands for one call."""

import uuid

import schemathesis

CENTER = "WxCCContactCenterSCV"
CERTIFICATE = "WebexCCSCV"
# The token endpoint takes what fits its description only with right credentials, which examples do not hold.
TOKEN = ("/oauth2/token", "/services/oauth2/token")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    schemas = raw_schema["components"]["schemas"]
    schemas["ConfiguredCenter"] = {"enum": [CENTER]}
    schemas["ConfiguredCertificate"] = {"enum": [CERTIFICATE, None, ""]}
    for schema in schemas.values():
        for part in (schema, *schema.get("allOf", ())):
            fields = part.get("properties", {})
            for name, configured in (
                ("callCenterDevName", "ConfiguredCenter"),
                ("certDevName", "ConfiguredCertificate"),
            ):
                if name in fields:
                    fields[name] = {"$ref": f"#/components/schemas/{configured}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    # Two calls of one key that differ are refused.
    if case.path.endswith("/createVoiceCall"):
        case.body = {**case.body, "vendorCallKey": f"wxcc_{uuid.uuid4()}"}
        case.body.pop("interactionId", None)
