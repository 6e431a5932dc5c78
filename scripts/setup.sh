# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Sourced by the other scripts: installs what a fresh Debian 12 or Ubuntu 24.04 lacks. Nothing is
# asked, and without anything missing there is no network access and no need to be root.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=$root/build/deps
missing=()

say() { printf '== %s\n' "$*"; }

# need <command or /path> <package>: notes the package when the thing is not there.
need() {
  case $1 in
    /*) [[ -e $1 ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac || missing+=("$2")
}

# install_missing: installs what `need` has noted.
install_missing() {
  ((${#missing[@]})) || return 0
  if ! command -v apt-get >/dev/null; then
    say "please install: ${missing[*]}"
    return 1
  fi
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get -qq update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${missing[@]}" >/dev/null
  missing=()
}

xsimd_major() {  # <include folder>
  awk '$2 == "XSIMD_VERSION_MAJOR" { print $3 }' "$1/xsimd/config/xsimd_config.hpp" 2>/dev/null || true
}

# xsimd 13 or newer, where the system has none: the package of a later release of the distribution,
# unpacked below build/deps/prefix (which CMakeLists.txt searches first). It comes from the mirror
# this machine's apt is set up with, through apt with sources and state of its own: its proxies
# apply, signatures and hashes are checked, and the system stays as it is.
need_xsimd() {
  local major
  for folder in "$deps/prefix/usr/include" /usr/local/include /usr/include; do
    major=$(xsimd_major "$folder")
    ((${major:-0} < 13)) || return 0
  done
  local ID='' VERSION_CODENAME='' suites component
  . /etc/os-release
  case $ID in
    debian) suites=trixie component=main ;;
    ubuntu) suites='resolute questing' component=universe ;;
    *) return 0 ;;  # CMake fetches the sources
  esac

  local apt=$deps/apt mirror suite options
  options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State=$apt/state" -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$apt/cache"
    -o APT::Sandbox::User=root -o Acquire::Languages=none -o APT::Update::Post-Invoke-Success=)
  for mirror in $(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' | awk -v codename="$VERSION_CODENAME" -v component="$component" \
    '($2 == codename || $2 ~ /^(old)?stable$/) && $3 == component && !seen[$1]++ { print $1 }'); do
    for suite in $suites; do
      say "taking xsimd from $mirror $suite"
      mkdir -p "$apt"/{state/lists,cache/archives}/partial
      echo "deb $mirror $suite $component" >"$apt/sources.list"
      if apt-get "${options[@]}" -qq update &&
        (cd "$apt" && apt-get "${options[@]}" -qq download libxsimd-dev xtl-dev); then
        for package in "$apt"/*.deb; do
          dpkg-deb -x "$package" "$deps/prefix"
        done
      fi
      rm -rf "$apt"
      major=$(xsimd_major "$deps/prefix/usr/include")
      ((${major:-0} < 13)) || return 0
      rm -rf "$deps/prefix"
    done
  done
  say 'no mirror has xsimd 13 or newer: CMake will fetch its sources'
}

# What every build needs.
setup_build() {
  need g++ g++
  need cmake cmake
  need ninja ninja-build
  install_missing
  need_xsimd
}

# configure <build folder name> <cmake option...>: CXX names another compiler, kept in its own folder.
configure() {
  build=$root/build/$1
  if [[ -n ${CXX:-} ]]; then
    build+=-$(basename "$CXX")
  fi
  shift
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  say "configuring ${build#"$root/"}"
  cmake -S "$root" --preset release -B "$build" "${launcher[@]}" "$@" >"$build.log" 2>&1 || {
    cat "$build.log"
    return 1
  }
}
