"""An iCloud of one's own: Apple's wire, spoken over a folder of real pictures.

`simulator.Simulator` is the door. Behind it: `directory` knows accounts, sessions and
codes; `library` is what a person has in Photos; `zone` and `journal` keep it as CloudKit
does; `records` writes it as Apple writes it; `gate` lets in who asks as Apple wants to be
asked (`rules`); `auth`, `setup`, `cloudkit`, `modify`, `content` and `upload` answer
requests; `faults` breaks any of it on demand. With `has_apples_names` it is reached under
Apple's own names, by whoever resolves them with `hosts.port_of`.

Facts come from public clients and their recordings: icloudpd (source and test
cassettes), pyicloud 2026.10, kei (docs/synctoken-reference.md), icloud-photos-sync; seen
2026-11. Where none of them says, the choice is a setting of `lives.Lives` or of an account.
The shapes of the recordings are in `tests/simulate/shapes.json`, and every answer is held against them.
"""
