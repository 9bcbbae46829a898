"""What /validate and /accountLogin say of an account: every name the recordings show (`tests/simulate/shapes.json`)."""

from __future__ import annotations

from typing import Any

from mediabox.simulate.icloud.directory import WebSession
from mediabox.simulate.icloud.hosts import Hosts

# Services of a partition, with what each says beside its address and "active".
_SERVICES: dict[str, dict[str, Any]] = {
    **{name: {} for name in (
        "archivews", "cksharews", "contacts", "developerapi", "findme", "fmf", "geows", "iwmb", "iworkexportws",
        "iworkthumbnailws", "keyvalue", "mail", "mccgateway", "mpp", "notes", "premiummailsettings", "push",
        "reminders", "settings", "sharedlibrary", "streams", "ubiquity", "uploadimagews",
    )},
    "calendar": {"isMakoAccount": False},
    **{name: {"pcsRequired": True} for name in ("ckdatabasews", "docws", "drivews", "photos", "photosupload")},
}  # fmt: skip
_HOST_OF = {"photosupload": "uploadimagews"}  # one host takes uploads here
_APPS = ("calendar", "reminders", "photos", "mail", "notes", "contacts", "iclouddrive", "find", "settings")
_URLS = ("accountCreateUI", "accountLogin", "accountLoginUI", "downloadEULA", "gilligan", "vettingUrlForEmail")
_MAIL_BITS = 64


def account_answer(session: WebSession, hosts: Hosts) -> dict[str, Any]:
    account = session.account
    name = account.apple_id.partition("@")[0]
    return {
        "dsInfo": {**_person(session, name), **_mailbox(account.apple_id)},
        "hasMinimumDeviceForPhotosWeb": True,
        "iCDPEnabled": account.has_advanced_protection,
        "hsaTrustedBrowser": session.is_trusted,
        "hsaChallengeRequired": not session.is_trusted,
        "pcsEnabled": True,
        "pcsDeleted": False,
        "pcsServiceIdentitiesIncluded": True,
        "termsUpdateNeeded": account.pending_terms is not None,
        "isExtendedLogin": True,
        "isRepairNeeded": False,
        "iCloudInfo": {"SafariBookmarksHasMigratedToCloudKit": True},
        "version": 2,
        "webservices": _services(hosts),
        "configBag": {
            "urls": {name: f"{hosts.setup}/{name}" for name in _URLS},
            "accountCreateEnabled": True,
        },
        "apps": {
            app: {"canLaunchWithOneFactor": app == "find", "isHidden": False, "isQualifiedForBeta": True}
            for app in _APPS
        },
        "appsOrder": list(_APPS),
        "requestInfo": {"country": "FR", "timeZone": "Europe/Paris", "region": "IDF"},
    }


def _person(session: WebSession, name: str) -> dict[str, Any]:
    account = session.account
    return {
        "dsid": account.dsid,
        "aDsID": f"000000-05-{account.dsid}",
        "appleId": account.apple_id,
        "appleIdAlias": "",
        "appleIdAliases": [],
        "iCloudAppleIdAlias": "",
        "appleIdEntries": [{"isPrimary": True, "type": "EMAIL", "value": account.apple_id}],
        "firstName": name,
        "lastName": "Simulated",
        "fullName": f"{name} Simulated",
        "languageCode": "en-us",
        "locale": "en-us_FR",
        "countryCode": "CHN" if account.region else "FRA",
        "notificationId": account.dsid,
        "hsaVersion": 2,
        "hsaEnabled": True,
        "hasICloudQualifyingDevice": True,
        "isWebAccessAllowed": account.has_web_access,
        "iCDPEnabled": account.has_advanced_protection,
        "statusCode": 2,
        "pcsDeleted": False,
        "locked": account.is_locked,
        "ICDRSCapableDeviceCount": 1,
        "ICDRSCapableDeviceList": "iPhone",
        "ContinueOnDeviceEligibleDeviceInfo": [],
        "beneficiaryInfo": {"isBeneficiary": False},
        "analyticsOptInStatus": False,
        "hasPaymentInfo": True,
        "familyEligible": True,
        "isManagedAppleID": False,
        "isPaidDeveloper": False,
        "isCustomDomainsFeatureAvailable": True,
        "isHideMyEmailFeatureAvailable": True,
        **{f"gilligan-{word}": True for word in ("enabled", "invited")},
        **{f"{what}Migrated": True for what in ("br", "ironcade", "notes")},
        "brZoneConsolidated": True,
        "tantorMigrated": False,
        "ubiquityEOLEnabled": True,
    }


def _mailbox(address: str) -> dict[str, Any]:
    flags = {"isThreadingAvailable": False, "isSearchV2Provisioned": False, "isCKMail": False}
    return {
        "primaryEmail": address,
        "primaryEmailVerified": True,
        "mailFlags": {**flags, "isMppSupportedInCurrentCountry": True, "rawBits": [0] * _MAIL_BITS},
    }


def _services(hosts: Hosts) -> dict[str, Any]:
    services: dict[str, Any] = {
        name: {"url": hosts.service(_HOST_OF.get(name, name)), "status": "active", **more}
        for name, more in _SERVICES.items()
    }
    services["photos"]["uploadUrl"] = hosts.upload
    services["ckdeviceservice"] = {"url": hosts.service("ckdevice")}
    services["schoolwork"] = {}
    services["account"] = {
        "url": hosts.home, "status": "active", "iCloudEnv": {"shortId": "p", "vipSuffix": "prod"},
    }  # fmt: skip
    return services
