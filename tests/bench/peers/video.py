"""What two peers do to take in one video, to know it and to show it.

    video.py immich|little-backup-box OUT FILE...

Immich: upload with SHA-1, ffprobe, ExifTool with `-ee`, then ffmpeg once for each size, over key frames
only, through its thumbnail filters (server/src/utils/media.ts, ThumbnailConfig).
little-backup-box: rsync, ffmpeg decodes the first second, mogrify scales (scripts/lib_metadata.py).
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

CHOOSE = (
    r"fps=12:start_time=0:eof_action=pass:round=down,thumbnail=12,"
    r"select=gt(scene\,0.1)-eq(prev_selected_n\,n)+isnan(prev_selected_n)+gt(n\,20),trim=end_frame=2,reverse"
)
FLAGS = "accurate_rnd+full_chroma_int"


def short_side(file: str) -> int:
    command = ["ffprobe", "-v", "quiet", "-print_format", "json", "-show_format", "-show_streams", file]
    streams = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["streams"]
    video = next(stream for stream in streams if stream["codec_type"] == "video")
    return int(min(video["width"], video["height"]))


def upload(file: str, out: Path) -> None:
    sha1 = hashlib.sha1(usedforsecurity=False)
    with open(file, "rb") as content, (out / Path(file).name).open("wb") as target:
        while chunk := content.read(64 * 1024):
            sha1.update(chunk)
            target.write(chunk)
        target.flush()
        os.fdatasync(target.fileno())


def immich(files: list[str], out: Path) -> None:
    tags = subprocess.Popen(
        ["exiftool", "-stay_open", "True", "-@", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert tags.stdin
    assert tags.stdout
    for file in files:
        upload(file, out)
        tags.stdin.write(f"-j\n-n\n-ee\n-api\nlargefilesupport=1\n{file}\n-execute\n")
        tags.stdin.flush()
        while not tags.stdout.readline().startswith("{ready}"):
            continue
        side = short_side(file)
        for suffix, size in (("preview.jpeg", 1440), ("thumbnail.webp", 250)):
            scale = f",scale=-2:{size}:flags=lanczos+{FLAGS}:out_range=pc" if side > size else ""
            command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-skip_frame", "nointra", "-sws_flags", FLAGS]
            command += ["-i", file, "-fps_mode", "vfr", "-frames:v", "1", "-update", "1", "-vf", CHOOSE + scale]
            subprocess.run([*command, str(out / f"{Path(file).name}_{suffix}")], check=True)
    tags.stdin.write("-stay_open\nFalse\n")
    tags.stdin.flush()
    tags.wait()


def little_backup_box(files: list[str], out: Path) -> None:
    subprocess.run(["rsync", "-a", "--size-only", *files, f"{out}/"], check=True)
    for file in files:
        poster = str(out / f"{Path(file).name}.JPG")
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", file, "-ss", "00:00:01", "-vframes", "1", poster]
        subprocess.run(command, check=True)
        subprocess.run(["mogrify", "-resize", "800>", poster], check=True)


def main() -> None:
    peer, out, files = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    out.mkdir(parents=True, exist_ok=True)
    {"immich": immich, "little-backup-box": little_backup_box}[peer](files, out)


if __name__ == "__main__":
    main()
