"""A Pixel phone of one's own: a real Syncthing with the phone's habits around it.

`phone.Phone` is the door. Behind it: `syncthing_process` runs the Syncthing, `shared_folder` is
the folder the box shares with it, `camera_roll` the files, `storage` the room, `media_store` what Android's
scanner knows, `google_photos` what is backed up and freed, `bin` what is deleted in it, `battery` and
`reception` when it works at all. `orders` names what can be asked of it, `obeying` does it, `control` takes
orders over HTTP, `routine` lives a phone's days.

Facts: Syncthing 1.19.2 and the documentation of 2.x (docs.syncthing.net), support.google.com/photos
("Free up space", "Choose the backup quality", Pixel upload offers), syncthing-android #2101 for Android 14's
media scanner; seen 2026-11. Where they say nothing, the choice is a setting of `phone.Habits`.
"""
