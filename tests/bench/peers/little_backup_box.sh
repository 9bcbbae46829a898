#!/usr/bin/env bash
# What little-backup-box does: rsync by size, ExifTool once over the list, one ImageMagick process a photo; for HEIC
# heif-convert and a copy of the tags before that (scripts/backup.py, lib_metadata.py).
#
#   little_backup_box.sh OUT FILE...
set -euo pipefail
out=$1 && shift
mkdir -p "$out/tims"
printf '%s\n' "$@" | sed 's#^/##' | rsync -a --size-only --min-size=1 --no-relative --files-from=- / "$out/"
cd "$out"
find . -maxdepth 1 -type f | exiftool -use MWG -dateFormat %Y-%m-%d_%H-%M-%S -FilePath -DateTimeOriginal -CreateDate \
  -Rating -S -@ - > tims/tags.txt
convert=$(type -P convert-im6.q16 || type -P convert)
for name in *; do
  case $name in
    *.HEIC | *.heic)
      heif-convert "$name" "$name.JPG" > /dev/null
      exiftool -q -overwrite_original -ignoreMinorErrors -TagsFromFile "$name" "$name.JPG" || true
      "$convert" "$name.JPG" -resize '800>' "tims/$name.JPG"
      rm -f -- "$name.JPG"
      ;;
    *.JPG | *.jpg) "$convert" "${name}[0]" -resize '800>' "tims/$name.JPG" ;;
  esac
done
