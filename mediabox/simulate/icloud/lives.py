"""How long Apple's tokens, cookies, codes and links are good for.

Recorded where a source is given; the others are not established publicly, hence settings.
"""

import msgspec

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S


class Lives(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds each."""

    token_cookie_s: int = 34 * DAY_S  # X-APPLE-WEBAUTH-TOKEN and -PCS-*: icloudpd's cassettes
    old_token_s: int = 15 * MINUTE_S  # a token that was renewed; assumed
    user_cookie_s: int = 30 * DAY_S  # X-APPLE-WEBAUTH-USER: the same
    browser_cookie_s: int = 60 * DAY_S  # X_APPLE_WEB_KB: the same
    trust_token_s: int = 60 * DAY_S  # 60 d, 90 d and "two months" are all reported
    session_token_s: int = 34 * DAY_S  # assumed as long as the cookie it buys
    code_s: int = 10 * MINUTE_S  # assumed
    cooldown_s: int = 5 * MINUTE_S  # after too many codes were asked for; assumed
    consent_s: int = HOUR_S  # a device's consent to web access under ADP: icloud-photos-sync adp.md
    link_s: int = HOUR_S  # 3597 to 3600 s in four of four recordings
    trash_s: int = 30 * DAY_S  # Recently Deleted
