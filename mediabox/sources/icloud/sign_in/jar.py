"""Our cookies to http.cookiejar's and back."""

from http.cookiejar import Cookie as JarCookie

from mediabox.sources.icloud.session import Cookie


def to_jar(cookie: Cookie) -> JarCookie:
    return JarCookie(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain,
        domain_specified=cookie.domain.startswith("."),
        domain_initial_dot=cookie.domain.startswith("."),
        path=cookie.path,
        path_specified=True,
        secure=cookie.is_secure,
        expires=None if cookie.expires_at_ms is None else cookie.expires_at_ms // 1000,
        discard=cookie.expires_at_ms is None,
        comment=None,
        comment_url=None,
        rest={},
    )


def from_jar(cookie: JarCookie) -> Cookie:
    return Cookie(
        name=cookie.name,
        value=cookie.value or "",
        domain=cookie.domain,
        path=cookie.path,
        is_secure=cookie.secure,
        expires_at_ms=None if cookie.expires is None else int(cookie.expires) * 1000,
    )
