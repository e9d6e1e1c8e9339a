#!/usr/bin/env bash
# Makes a Debian package and a tar.gz of vqvae, and prints their names.
# Usage: scripts/package.sh VQVAE SCRATCH-FOLDER OUT-FOLDER
#
# VQVAE has to be built with Swift's runtime linked in (make static). The package needs a C library at least as new as
# the program's symbols, so build it on the oldest release that it is for.
#
# Environment:
#   MAINTAINER         who answers for the package, as "Name <address>"
#   SOURCE_DATE_EPOCH  the date of everything in it, by default that of the commit
#
# Exit status: 0 done, 64 usage, 65 the program is not fit for a package, 66 a program is missing, 73 cannot write.
set -euo pipefail

(($# == 3)) || { echo "usage: scripts/package.sh VQVAE SCRATCH-FOLDER OUT-FOLDER" >&2 && exit 64; }
readonly vqvae=$1 scratch=$2 out=$3
here=$(cd "$(dirname "$0")/.." && pwd)
readonly here
# The project has no address. ".invalid" is reserved for names that are none.
readonly maintainer=${MAINTAINER:-The vqvae authors <authors@vqvae.invalid>}

# fail STATUS WHAT EXPECTED FOUND TO-DO
fail() {
  printf 'package: %s\n  expected: %s\n  found:    %s\n  to do:    %s\n' "${@:2}" >&2
  exit "$1"
}

for name in dpkg dpkg-deb dpkg-shlibdeps strip objcopy readelf gzip tar; do
  command -v "$name" >/dev/null ||
    fail 66 "a program is missing" "$name" "none on the PATH" "scripts/install_packages.sh --package"
done
[[ -x $vqvae ]] || fail 66 "nothing to package" "the program $vqvae" "no such program" "run make static"
needed=$(readelf -dW "$vqvae" | grep -E 'libswift|libFoundation|RUNPATH|RPATH' || true)
[[ -z $needed ]] ||
  fail 65 "$vqvae works only beside its Swift" "Swift's runtime linked in" "$(head -n 1 <<<"$needed" | xargs)" \
    "build it with make static"

tmp=$(mktemp -d)
readonly tmp
trap 'rm -rf -- "$tmp"' EXIT
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$("$here/scripts/source_date.sh")}
export SOURCE_DATE_EPOCH
# The same in every locale and time zone.
export LC_ALL=C.UTF-8 TZ=UTC
umask 022
version=$("$here/scripts/version.sh" "$vqvae")
# In Debian's order, a ~ makes 1.0-beta older than 1.0; a - would begin Debian's own number.
debian_version=${version//-/\~}
architecture=$(dpkg --print-architecture)

# Stripped, as Debian's policy asks: symbols are a quarter of the file, and of use only with Swift's
# swift-backtrace, which is not where a package goes. The build keeps them.
stripped=$tmp/vqvae
strip --strip-unneeded --remove-section=.comment --remove-section=.note -o "$stripped" "$vqvae"
# Hashes by which the compiler knows its own object files. They depend on the folder of the build, and nothing reads
# them in a program.
hashes=.swift_modhash
if objcopy --dump-section "$hashes=$tmp/hashes" "$stripped" 2>/dev/null; then
  head -c "$(wc -c <"$tmp/hashes")" /dev/zero >"$tmp/zeros"
  objcopy --update-section "$hashes=$tmp/zeros" "$stripped"
fi

# Everything but the program comes from the build, so stage that, and put the stripped program into the tree.
stage() { # FOLDER PREFIX ZSH-COMPLETIONS
  DESTDIR=$1 PREFIX=$2 ZSH_COMPLETIONS=$3 "$here/scripts/install.sh" stage "$stripped" "$scratch"
}

make_deb() {
  local tree=$tmp/deb doc depends
  # Debian's zsh reads vendor-completions, and leaves site-functions to /usr/local.
  stage "$tree" /usr share/zsh/vendor-completions
  doc=$tree/usr/share/doc/vqvae
  cat >"$doc/copyright" - "$here/LICENSE" <<END
vqvae $version, packaged from its own sources.

The works that are linked into it, and their licences, are in the file NOTICES beside this one: Swift and
swift-argument-parser (Apache License 2.0 with the Runtime Library Exception, see also
/usr/share/common-licenses/Apache-2.0), ICU (Unicode License v3), Yams and libyaml (MIT). The licence of vqvae:

END
  printf 'vqvae (%s) unstable; urgency=medium\n\n  * vqvae %s.\n\n -- %s  %s\n' "$debian_version" "$version" \
    "$maintainer" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
  mkdir -p "$tree/usr/share/lintian/overrides" "$tree/DEBIAN" "$tmp/source/debian"
  cat >"$tree/usr/share/lintian/overrides/vqvae" <<'END'
# Yams compiles its own copy of libyaml, and cannot use the system's.
vqvae: embedded-library libyaml [usr/bin/vqvae]
END
  printf 'Source: vqvae\n\nPackage: vqvae\nArchitecture: any\n' >"$tmp/source/debian/control"
  # From the symbols that the program needs: the lowest version of each library that has them.
  depends=$(cd "$tmp/source" && dpkg-shlibdeps -O -S"$tree" "$tree/usr/bin/vqvae" 2>"$tmp/log") ||
    fail 65 "cannot compute what the package depends on" "packages for all libraries" "$(tail -n 1 "$tmp/log")" \
      "build on the release that the package is for"
  cat >"$tree/DEBIAN/control" <<END
Package: vqvae
Version: $debian_version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$tree" | cut -f 1)
Depends: ${depends#shlibs:Depends=}
Section: science
Priority: optional
Description: train and evaluate vector-quantized autoencoders (VQ-VAE) on a CPU
 A VQ-VAE turns an image into a small grid of codes and back. vqvae trains such
 models, measures them and draws reconstructions, without Python and a GPU.
 The same configuration and seed give the same checkpoint, for any number of
 threads and across stop and resume.
END
  (cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
  deb=vqvae_${debian_version}_$architecture.deb
  dpkg-deb --root-owner-group -Zxz --build "$tree" "$tmp/$deb" >/dev/null
}

make_tar() {
  local name tree=$tmp/tar
  # For /usr/local: it also runs from where it is unpacked.
  stage "$tree" /usr/local share/zsh/site-functions
  name=vqvae-$version-linux-$(uname -m)
  mv "$tree/usr/local" "$tree/$name"
  cp "$here/LICENSE" "$tree/$name/share/doc/vqvae/NOTICES" "$tree/$name"
  tar_file=$name.tar.gz
  tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu \
    -C "$tree" -cf - "$name" | gzip -9n >"$tmp/$tar_file"
}

make_deb
make_tar
mkdir -p "$out" || fail 73 "cannot write in $out" "a folder to write in" "the message above" "choose another folder"
for file in "$deb" "$tar_file"; do
  # Under another name first, so that nothing reads half a package.
  { cp "$tmp/$file" "$out/$file.new" && mv -fT "$out/$file.new" "$out/$file"; } ||
    fail 73 "cannot write $out/$file" "room for it" "the message above" "free some space, or choose another folder"
  echo "$out/$file ($(($(wc -c <"$out/$file") / 1000000)) MB)"
done
