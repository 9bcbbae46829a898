from simulate.icloud_fixtures import icloud, icloud_home, threaded_icloud

__all__ = ["icloud", "icloud_home", "threaded_icloud"]
