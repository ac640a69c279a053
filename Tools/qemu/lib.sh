# Pieces that boot a kernel under QEMU and record its page tables: riscv64, x86_64 or arm64, as ARCH
# says. Sourced by the scripts beside it; needs no root. What each function does not find it names, with the package that has it.

say() { echo "$program: $*" >&2; }
die() {
  say "error: $*"
  exit 2
}

# need COMMAND PACKAGE: fails with the package to install.
need() {
  command -v "$1" >/dev/null || die "no $1: apt-get install -y $2"
}

# What the host has to have. Root's apt-get installs it; others are told.
install_host() {
  missing=
  command -v "$QEMU" >/dev/null || missing="$missing $QEMU_PACKAGE"
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
  command -v cpio >/dev/null || missing="$missing cpio"
  command -v unxz >/dev/null || missing="$missing xz-utils"
  [ $ARCH != riscv64 ] || [ -e /usr/lib/riscv64-linux-gnu/opensbi/generic ] || missing="$missing opensbi"
  [ -n "$missing" ] || return 0
  # Debian 13 and later have QEMU's riscv in a package of its own.
  if apt-cache show qemu-system-riscv >/dev/null 2>&1; then
    missing=$(echo "$missing" | sed 's/qemu-system-misc/qemu-system-riscv/')
  fi
  [ "$(id -u)" = 0 ] || die "missing; run as root: apt-get install -y$missing"
  say "installing$missing"
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing >&2 ||
    die "apt-get could not install$missing: try apt-get update first"
}

# --- Debian's packages -------------------------------------------------------------------------

# apt for another architecture and release, in a folder of its own: neither root nor the host's own
# package lists are touched. deb SUITE COMMAND…
deb() {
  suite=$1
  shift
  apt=$CACHE/apt-$suite
  if [ ! -e "$apt/ready" ]; then
    need apt-get apt
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e "$keys" ] || die "no $keys: apt-get install -y debian-archive-keyring"
    mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/conf.d" "$apt/preferences.d"
    : > "$apt/status"
    # A mirror that is some days behind is as good; its signature is checked all the same.
    echo "deb [arch=$DEBIAN_ARCH check-valid-until=no signed-by=$keys] $MIRROR $suite main" > "$apt/sources.list"
    cat > "$apt/apt.conf" <<END
Dir::State "$apt"; Dir::State::status "$apt/status"; Dir::State::lists "$apt/lists";
Dir::Cache "$apt"; Dir::Cache::archives "$apt/archives";
Dir::Etc "$apt"; Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "-";
Dir::Etc::parts "$apt/conf.d"; Dir::Etc::preferencesparts "$apt/preferences.d";
APT::Architecture "$DEBIAN_ARCH"; APT::Architectures { "$DEBIAN_ARCH"; };
APT::Sandbox::User ""; Acquire::Languages "none"; Acquire::Retries "3";
END
    APT_CONFIG=$apt/apt.conf apt-get -q update > "$apt/update.log" 2>&1 ||
      { tail -5 "$apt/update.log" >&2; die "apt-get could not read Debian $suite (above: why)"; }
    : > "$apt/ready"
  fi
  APT_CONFIG=$apt/apt.conf "$@"
}

# Names of the packages that PACKAGE depends on, those whose names begin with linux-.
# depends SUITE PACKAGE
depends() {
  deb "$1" apt-cache depends "$2" | sed -n 's/^ *Depends: \(linux-[^ ]*\)$/\1/p'
}

# download SUITE PACKAGE… : into $CACHE/debs, once; prints the files.
download() {
  from=$1
  shift
  mkdir -p "$CACHE/debs"
  for package; do
    file=$(deb "$from" apt-get -q --print-uris download "$package" | sed -n "s/^'[^']*' \([^ ]*\) .*/\1/p")
    [ -n "$file" ] || die "Debian $from has no package $package"
    [ -e "$CACHE/debs/$file" ] || (
      cd "$CACHE/debs" && deb "$from" apt-get -q download "$package" >&2
    ) || die "cannot download $package"
    echo "$CACHE/debs/$file"
  done
}

# unpack DEB FOLDER PATTERN… : those files of a package; a pattern may match none.
unpack() {
  deb_file=$1
  folder=$2
  shift 2
  mkdir -p "$folder"
  dpkg-deb --fsys-tarfile "$deb_file" |
    tar xf - -C "$folder" --wildcards --no-anchored "$@" 2>/dev/null || true
}

# Where Debian's kernel of a release is kept.
# kernel_folder SUITE
kernel_folder() {
  case $KERNEL_PACKAGE in
    "linux-image-$DEBIAN_ARCH") echo "$CACHE/kernel-$1" ;;
    *) echo "$CACHE/kernel-$1-$KERNEL_PACKAGE" ;;
  esac
}

# Debian's kernel of a release, as its folder with Image, config, release and modules/.
# fetch_kernel SUITE
fetch_kernel() {
  kernel=$(kernel_folder "$1")
  [ ! -e "$kernel/release" ] || return 0
  image=$(depends "$1" "$KERNEL_PACKAGE" | grep '^linux-image-' | head -1)
  [ -n "$image" ] || die "Debian $1 has no $KERNEL_PACKAGE"
  release=${image#linux-image-}
  say "fetching $image of Debian $1"
  rm -rf "$kernel.part"
  # Since 7.x the kernel and its modules are packages of their own.
  packages="$image $(depends "$1" "$image" | grep -- "-$release\$" || true)"
  for file in $(download "$1" $packages); do
    unpack "$file" "$kernel.part" 'vmlinu[xz]*' config 'config-*' \
      $(for module in $GUEST_MODULES; do echo "$module.ko" "$module.ko.xz"; done)
  done
  find "$kernel.part" -name 'vmlinu[xz]*' -type f -exec mv {} "$kernel.part/vmlinuz" \;
  find "$kernel.part" -type f '(' -name config -o -name 'config-*' ')' -exec mv {} "$kernel.part/config" \;
  mkdir -p "$kernel.part/modules"
  find "$kernel.part" -path "$kernel.part/modules" -prune -o '(' -name '*.ko' -o -name '*.ko.xz' ')' \
    -exec mv {} "$kernel.part/modules/" \;
  for module in "$kernel.part"/modules/*.xz; do [ ! -e "$module" ] || unxz -f "$module"; done
  # A kernel that has everything built in has none.
  rmdir "$kernel.part/modules" 2>/dev/null || true
  [ -s "$kernel.part/vmlinuz" ] || die "$image holds no kernel"
  plain_image "$kernel.part/vmlinuz" "$kernel.part/Image"
  rm -rf "$kernel.part/usr" "$kernel.part/boot" "$kernel.part/vmlinuz"
  echo "$release" > "$kernel.part/release"
  rm -rf "$kernel"
  mv "$kernel.part" "$kernel"
}

# A kernel as QEMU boots it: an Image as it is, out of gzip, or out of the EFI stub that
# decompresses itself (its head: "MZ", "zimg", then where the payload is, its size, its format).
# plain_image FILE OUT
plain_image() {
  case $(dd if="$1" bs=1 skip=4 count=4 2>/dev/null | tr -d '\0') in
    zimg)
      at=$(od -A n -t u4 -j 8 -N 4 "$1" | tr -d ' ')
      size=$(od -A n -t u4 -j 12 -N 4 "$1" | tr -d ' ')
      kind=$(dd if="$1" bs=1 skip=24 count=8 2>/dev/null | tr -d '\0')
      case $kind in gzip) kind=gunzip ;; zstd*) kind="zstd -d" ;; xz*) kind=unxz ;; esac
      tail -c +$((at + 1)) "$1" | head -c "$size" | $kind -c > "$2" ;;
    *)
      if [ "$(od -A n -t x1 -N 2 "$1" | tr -d ' ')" = 1f8b ]; then
        gunzip -c "$1" > "$2"
      else
        cp "$1" "$2"
      fi ;;
  esac
}

# What every guest has: busybox, bpftool with its libraries, the workload; as $CACHE/guest.
# fetch_guest SUITE
fetch_guest() {
  guest=$CACHE/guest
  [ ! -e "$guest/ready" ] || return 0
  say "fetching busybox and bpftool of Debian $1"
  rm -rf "$guest" "$CACHE/userland"
  mkdir -p "$guest/bin" "$guest/lib"
  for file in $(download "$1" busybox-static bpftool libc6 libcap2 libelf1t64 libzstd1 zlib1g); do
    unpack "$file" "$CACHE/userland" busybox bpftool 'lib*.so*' 'ld-linux*.so*'
  done
  find "$CACHE/userland" -path '*bin/busybox' -type f -exec cp {} "$guest/bin/" \;
  find "$CACHE/userland" -path '*sbin/bpftool' -type f -exec cp {} "$guest/bin/" \;
  for library in $LOADER libc.so.6 libcap.so.2 libelf.so.1 libz.so.1 libzstd.so.1; do
    file=$(find "$CACHE/userland" -name "$library" | head -1)
    [ -n "$file" ] || die "the packages hold no $library"
    cp -L "$file" "$guest/lib/"
    [ $ARCH != x86_64 ] || { mkdir -p "$guest/lib64" && cp -L "$file" "$guest/lib64/"; }
  done
  rm -rf "$CACHE/userland"
  ln -s busybox "$guest/bin/sh"
  cp "$here/init" "$guest/init"
  chmod +x "$guest/init"
  compile_workload "$guest/bin/workload"
  : > "$guest/ready"
}

# The clang that comes with Swift has everything for it; so has Debian's with lld.
compiler() {
  if [ -n "${CLANG:-}" ]; then
    echo "$CLANG"
  else
    for clang in "$(dirname "$(readlink -f "$(command -v swift)" 2>/dev/null || echo /)")/clang" clang; do
      "$clang" --print-targets 2>/dev/null | grep -q " $CLANG_TARGET " && echo "$clang" && return
    done
    die "no clang that knows $CLANG_TARGET and bpf (apt-get install -y clang lld), or set CLANG"
  fi
}
compile_workload() {
  "$(compiler)" "--target=$CLANG_TRIPLE" -O2 -nostdlib -static -ffreestanding \
    -fno-stack-protector -fuse-ld=lld "$here/workload.c" -o "$1" || die "cannot build the workload"
}

# --- the guest ---------------------------------------------------------------------------------

# make_initramfs KERNEL OUT: KERNEL is a folder with release, and config and modules/ if it has any.
make_initramfs() {
  need cpio cpio
  tree=$2.tree
  rm -rf "$tree"
  cp -a "$CACHE/guest" "$tree"
  rm -f "$tree/ready"
  mkdir -p "$tree/boot" "$tree/modules"
  # The probe script looks for a configuration where a distribution puts it.
  [ ! -e "$1/config" ] || cp "$1/config" "$tree/boot/config-$(cat "$1/release")"
  [ ! -d "$1/modules" ] || cp "$1"/modules/*.ko "$tree/modules/"
  echo $GUEST_MODULES > "$tree/modules/order"
  (cd "$tree" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -1) > "$2"
  rm -rf "$tree"
}

# boot IMAGE INITRAMFS SHARED LOG: returns when the guest has powered off.
boot() {
  need "$QEMU" "$QEMU_PACKAGE"
  timeout "$BOOT_TIMEOUT" "$QEMU" -accel "$QEMU_ACCEL" -machine "$QEMU_MACHINE" -cpu "$QEMU_CPU" -smp "$QEMU_CPUS" -m 2048 \
    -no-reboot -display none -serial "file:$4" -monitor none -kernel "$1" -initrd "$2" \
    -append "console=$CONSOLE loglevel=4 panic=-1 $KERNEL_ARGS" \
    -virtfs "local,path=$3,mount_tag=host,security_model=none,multidevs=remap" </dev/null
}

# record_kernel KERNEL OUT WORKLOAD…: boots KERNEL (a folder with Image and release), chooses probes
# by what it says of itself, and leaves OUT/capture.tar, with every step's output beside it.
record_kernel() {
  kernel=$1
  out=$2
  shift 2
  shared=$out/shared
  rm -rf "$out"
  mkdir -p "$shared"
  make_initramfs "$kernel" "$out/initramfs.gz"
  cp "$here/guest.sh" "$shared/"
  echo "$*" > "$shared/workload.args"
  "$TRACETOOL" probes --arch "$ARCH" -q -o "$shared/survey.sh" || return 2
  boot "$kernel/Image" "$out/initramfs.gz" "$shared" "$out/serial.log" &
  qemu=$!
  trap 'kill $qemu 2>/dev/null' EXIT
  while [ ! -e "$shared/survey.tar" ]; do
    kill -0 $qemu 2>/dev/null || { not_recorded; return 1; }
    sleep 1
  done
  # The probes are chosen by what this kernel said of itself: no name of a function is written here.
  "$TRACETOOL" probes --target "$shared/survey.tar" --events "$PROBE_EVENTS" \
    --mechanism "$PROBE_MECHANISM" -o "$shared/pt.sh" || return 2
  if grep -q '^MECH=bpf$' "$shared/pt.sh"; then
    "$TRACETOOL" probes --target "$shared/survey.tar" --events "$PROBE_EVENTS" --for bpf \
      -o "$out/pt.bpf.c" -q || return 2
    "$(compiler)" -O2 -g -target bpf -c "$out/pt.bpf.c" -o "$shared/pt.bpf.o" || return 2
  fi
  : > "$shared/go"
  wait $qemu
  trap - EXIT
  [ -e "$shared/capture.tar" ] || { not_recorded; return 1; }
  grep '^probes: ' "$out/serial.log" | tr -d '\r' >&2
  mv "$shared/capture.tar" "$out/capture.tar"
  mv "$shared/survey.tar" "$shared/pt.sh" "$out/"
}

not_recorded() {
  say "the guest stopped before it had recorded anything; the end of $out/serial.log:"
  tail -15 "$out/serial.log" >&2
}

# --- settings ----------------------------------------------------------------------------------

TRACETOOL=${TRACETOOL:-.build/release/tracetool}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
ARCH=${ARCH:-riscv64}
case $ARCH in
  riscv64)
    DEBIAN_ARCH=riscv64 CLANG_TARGET=riscv64 CLANG_TRIPLE=riscv64-linux-gnu
    LOADER=ld-linux-riscv64-lp64d.so.1 CONSOLE=ttyS0 QEMU_PACKAGE=qemu-system-misc
    QEMU=${QEMU:-qemu-system-riscv64} QEMU_MACHINE=${QEMU_MACHINE:-virt} QEMU_CPU=${QEMU_CPU:-rv64} ;;
  x86_64)
    DEBIAN_ARCH=amd64 CLANG_TARGET=x86-64 CLANG_TRIPLE=x86_64-linux-gnu
    LOADER=ld-linux-x86-64.so.2 CONSOLE=ttyS0 QEMU_PACKAGE=qemu-system-x86
    QEMU=${QEMU:-qemu-system-x86_64} QEMU_MACHINE=${QEMU_MACHINE:-q35} ;;
  arm64)
    DEBIAN_ARCH=arm64 CLANG_TARGET=aarch64 CLANG_TRIPLE=aarch64-linux-gnu
    LOADER=ld-linux-aarch64.so.1 CONSOLE=ttyAMA0 QEMU_PACKAGE=qemu-system-arm
    QEMU=${QEMU:-qemu-system-aarch64} QEMU_MACHINE=${QEMU_MACHINE:-virt} ;;
  *) die "no ARCH $ARCH: riscv64, x86_64 or arm64" ;;
esac
# kvm lets the host's own processor do it, which is faster; an x86_64 kernel then takes the RCU path
# before v6.14, too, as any guest whose hypervisor flushes TLBs for it.
QEMU_ACCEL=${QEMU_ACCEL:-tcg}
case $ARCH.$QEMU_ACCEL in
  *.kvm) QEMU_CPU=${QEMU_CPU:-host} ;;
  x86_64.*) QEMU_CPU=${QEMU_CPU:-qemu64} ;;
  arm64.*) QEMU_CPU=${QEMU_CPU:-max,pauth-impdef=on} ;;
esac
QEMU_CPUS=${QEMU_CPUS:-2}
# What the guest needs for the host's folder, in the order it is loaded; what a kernel has built in
# is no file.
GUEST_MODULES="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci netfs fscache 9pnet
  9pnet_virtio 9p"
# Debian's package that depends on the newest kernel: linux-image-rt-amd64 for PREEMPT_RT.
KERNEL_PACKAGE=${KERNEL_PACKAGE:-linux-image-$DEBIAN_ARCH}
KERNEL_ARGS=${KERNEL_ARGS:-}
BOOT_TIMEOUT=${BOOT_TIMEOUT:-1200}
PROBE_EVENTS=${PROBE_EVENTS:-walkers}
PROBE_MECHANISM=${PROBE_MECHANISM:-auto}
CACHE=${CACHE:-.build/qemu-demo}
case $CACHE in /*) ;; *) CACHE=$PWD/$CACHE ;; esac
# What is fetched is of one architecture.
[ $ARCH = riscv64 ] || CACHE=$CACHE-$ARCH
