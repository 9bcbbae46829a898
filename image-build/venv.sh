# shellcheck shell=bash
# The virtual environment of a checkout, for image-build/try and tests/run (sourced; needs $root).
#
# The first start installs; later ones compare two hashes and go on, without network. A
# stamp is written only after a whole install, so whatever was interrupted is done again.

venv=${root:?}/.venv

say() { printf '%s\n' "$*" >&2; }

# Bring $venv in order with the optional dependencies named in $1 ("" or "test").
ensure_venv() {
  local extra=$1
  venv_is_current "$extra" && return
  exec 9<"$root"
  flock --nonblock 9 || { say "Waiting for another start to finish installing ..."; flock 9; }
  venv_is_current "$extra" || install_venv "$extra"
  exec 9<&- # what we exec next must not hold the lock
}

venv_hash() { { printf '%s\n' "$root" && cat "$root/pyproject.toml"; } | sha256sum; }

venv_is_current() {
  local stamp hash stamps=("$venv/installed-test")
  [[ $1 ]] || stamps+=("$venv/installed-run") # the environment for tests runs the program, too
  [[ -x $venv/bin/python && -x $venv/bin/mediabox && ! -e $venv/installing ]] || return
  hash=$(venv_hash)
  for stamp in "${stamps[@]}"; do
    [[ -f $stamp && $(<"$stamp") == "$hash" ]] && return
  done
  return 1
}

install_venv() {
  local extra=$1 python
  python=$(find_python) || exit 1
  require_system "$python"
  say "Installing into .venv (once; about a minute) ..."
  if [[ -e $venv/installing || ! -x $venv/bin/python ]] || ! grep -qsF "$venv" "$venv/pyvenv.cfg"; then
    rm -rf -- "$venv" # interrupted, moved here from elsewhere, or of a Python that is gone
    mkdir -- "$venv" && touch "$venv/installing"
    "$python" -m venv "$venv" || exit 1
  fi
  touch "$venv/installing"
  # PKG_CONFIG: pyvips must not be built against a libvips of the system, whose decoders are
  # older than the bundled ones; no cache, because that could hold such a build.
  if ! PKG_CONFIG=/bin/false "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check \
    --no-cache-dir --editable "$root${extra:+[$extra]}"; then
    rm -f -- "$venv/installing" # pip undoes what it began; only being killed leaves halves
    say "Could not install. The lines above say why; the next start tries again."
    exit 1
  fi
  rm -f -- "$venv/installing"
  venv_hash >"$venv/installed-${extra:-run}"
}

# Print the first Python that is new enough and really runs (a pyenv shim may only pretend).
find_python() {
  local python
  for python in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      printf '%s\n' "$python"
      return
    fi
  done
  say "mediabox needs Python 3.11, 3.12 or 3.13; python3 here is $(python3 -V 2>&1)."
  say "  sudo apt install python3 python3-venv      (Debian 12, Raspberry Pi OS Bookworm or newer)"
  return 1
}

# What pip cannot bring: asked of the interpreter itself, not of a package list.
require_system() {
  local python=$1 missing=()
  "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  "$python" -c 'import ctypes; ctypes.CDLL("libseccomp.so.2")' 2>/dev/null || missing+=(libseccomp2)
  if ((${#missing[@]})); then
    say "Missing on this system: ${missing[*]}. Install with:"
    say "  sudo apt install ${missing[*]}"
    exit 1
  fi
}
