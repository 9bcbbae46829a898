"""The second factor as Apple's page and answers tell of it. Names: icloudpd's recordings of 2023 and 2024."""

from __future__ import annotations

import base64
import html
import secrets
from typing import Any

import msgspec

from mediabox.simulate.icloud.directory import Account, Phone

_HELP = "https://support.apple.com/"
_ADDRESSES = (
    "aboutTwoFactorAuthenticationUrl", "cantUsePhoneNumberUrl", "recoveryUrl", "recoveryWebUrl",
    "repairPhoneNumberUrl", "repairPhoneNumberWebUrl",
)  # fmt: skip
_NOT_SO = (
    "autoVerified", "hideSendSMSCodeOption", "managedAccount", "restrictedAccount", "showAutoVerificationUI",
    "supervisedChangePasswordFlow",
)  # fmt: skip
_SO = ("hsa2Account", "supportsCustodianRecovery", "supportsRecovery")


def two_factor(account: Account, now_ms: int) -> dict[str, Any]:
    """As JSON: what a code can be sent to, and whether Apple takes any."""
    phones = [_shown(phone) for phone in account.phones]
    security_code = account.flags(now_ms)
    verification = {
        "trustedPhoneNumbers": phones,
        "trustedPhoneNumber": phones[0] if phones else None,
        "securityCode": security_code,
        "authenticationType": "hsa2",
        **dict.fromkeys(_ADDRESSES, _HELP),
        **dict.fromkeys(_NOT_SO, False),
        **dict.fromkeys(_SO, True),
    }
    shown: dict[str, Any] = {"phoneNumberVerification": verification, "securityCode": security_code}
    if account.security_keys:
        challenge = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        handles = [base64.urlsafe_b64encode(name.encode()).decode() for name in account.security_keys]
        shown |= {
            "fsaChallenge": {"challenge": challenge, "keyHandles": handles, "rpId": "apple.com"},
            "keyNames": account.security_keys,
        }
    return shown


def page(account: Account, now_ms: int) -> str:
    """The page a browser gets, with its boot_args."""
    shown = two_factor(account, now_ms)
    # Both places are seen; pyicloud reads the nested one, icloudpd and kei the other.
    nested = {**shown, "bridgeInitiateData": {"phoneNumberVerification": shown["phoneNumberVerification"]}}
    boot_args = {
        "additional": {"canRoute2sv": True},
        "direct": {
            "appleIDUrl": "https://appleid.apple.com",
            "authInitialRoute": account.initial_route,
            "authType": "hsa2",
            "authUserType": "hsa2",
            "hasTrustedDevices": account.has_trusted_devices,
            "isReact": True,
            "module": "widget",
            "referrerQuery": "",
            "scriptSk7Url": _HELP,
            "scriptUrl": _HELP,
            "tag": "<hsa2></hsa2>",
            "twoSV": {
                **nested,
                "authFactors": ["sms"],
                "sourceAppId": 1159,
                "source_returnurl": _HELP,
                "supportedPushModes": ["sms", "voice"],
            },
            "urlContext": "/appleauth",
        },
    }
    script = msgspec.json.encode(boot_args).decode().replace("</", "<\\/")
    text = f"<!DOCTYPE html><html><head><title>{html.escape('Apple Account')}</title></head><body>"
    return f'{text}<script class="boot_args" type="application/json">{script}</script></body></html>'


def _shown(phone: Phone) -> dict[str, Any]:
    last = phone.number[-2:]
    return {
        "id": phone.id,
        "pushMode": "sms",
        "obfuscatedNumber": f"•• •• •• •• {last}",
        "numberWithDialCode": f"+•• •• •• •• {last}",
        "lastTwoDigits": last,
        "nonFTEU": False,
    }
