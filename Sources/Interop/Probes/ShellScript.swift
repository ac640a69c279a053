/// A POSIX shell script that sets the probes of a plan, records, and collects what the importer
/// wants; busybox's `sh`, `sed`, `awk` and `tar` are enough.
public struct ShellScript: Sendable {
  private let plan: ProbePlan
  private let producer: String
  private let usesTraceCmd: Bool

  /// A script for `plan`; `producer` is named in its head.
  public init(_ plan: ProbePlan, producer: String, usesTraceCmd: Bool = false) {
    self.plan = plan
    self.producer = producer
    self.usesTraceCmd = usesTraceCmd
  }

  /// The script, with a line feed at its end.
  public var text: String {
    let version = plan.target.version.map { " of Linux \($0)" } ?? ""
    var head = """
      #!/bin/sh
      # Records the life of page tables\(version) on \(plan.target.architecture.rawValue). \
      Written by \(producer): probes --events \(plan.set.name).

      """
    for warning in plan.warnings { head += "# Note: \(warning).\n" }
    for (event, reason) in plan.missing { head += "# Not probed: \(event): \(reason).\n" }
    return head
      + "ARCH=\(plan.target.architecture.rawValue)\nMECH=\(plan.mechanism.rawValue)\n"
      + "NRPT=\(plan.target.nrPageTable.map(String.init) ?? "")\n"
      + "TRACECMD=\(usesTraceCmd ? "1" : "")\n"
      + Self.library + "\ndefine() {\n" + definitions + "}\n" + Self.verbs
  }

  private var definitions: String {
    let words = ProbeDefinition(target: plan.target, mechanism: .auto)
    var lines = plan.probes.map { probe in
      "  probe \(probe.spec.event) \(probe.spec.isReturn ? "r" : "p") "
        + "'\(probe.symbols.joined(separator: " "))' '\(words.arguments(probe.fields))' "
        + "'\(Self.filter(probe.spec.filter))'"
    }
    if plan.mechanism == .bpf { lines = ["  load_bpf"] }
    lines += plan.tracePoints.map { "  point \($0.path) '\($0.filter)'" }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func filter(_ filter: ProbeSpec.Filter) -> String {
    switch filter {
    case .none: ""
    case .statistic(let positive): positive ? "idx==NRPT && val>0" : "idx==NRPT && val<0"
    case .function(let names): "CALLBACKS " + names.joined(separator: " ")
    case .callers(let names): "CALLERS " + names.joined(separator: " ")
    case .failed: "ret==1"
    }
  }

  private static let library = #"""
    CLOCK=${CLOCK:-mono}   # trace clock
    BUFKB=${BUFKB:-16384}  # ring buffer of each CPU; a smaller one overwrites its oldest part
    T=/sys/kernel/tracing
    W=${TMPDIR:-/tmp}/tracetool-probes

    say() { echo "probes: $*" >&2; }
    die() { say "error: $*"; exit 2; }

    # Address of a function, and of the one behind it.
    sym() { awk -v s="$1" '$3 == s { print "0x" $1; exit }' "$W/kallsyms"; }
    next() { awk -v s="$1" '$3 == s { f = 1; a = $1; next } f && $1 > a { print "0x" $1; exit }' "$W/sorted"; }

    tracefs() {
      [ "$(id -u)" = 0 ] || die "only root can trace"
      [ -e $T/trace ] || mount -t tracefs tracefs $T 2>/dev/null || T=/sys/kernel/debug/tracing
      [ -e $T/trace ] || die "no tracefs: this kernel has no tracing"
      mkdir -p "$W" || exit 2
    }

    symbols() {
      cat /proc/kallsyms > "$W/kallsyms"
      sort "$W/kallsyms" > "$W/sorted"
      [ "$(sym _text)" != 0x0000000000000000 ] || die "addresses are hidden: echo 0 > /proc/sys/kernel/kptr_restrict"
      [ -n "$NRPT" ] || NRPT=$(awk '$1 == "nr_inactive_anon" { a = NR } $1 == "nr_page_table_pages" { print NR - a }' /proc/vmstat)
      GPSEQ=
      if command -v bpftool >/dev/null && [ -e /sys/kernel/btf/vmlinux ]; then
        GPSEQ=$(bpftool btf dump file /sys/kernel/btf/vmlinux 2>/dev/null |
          awk "/STRUCT 'rcu_state'/ { f = 1; next } f && /'gp_seq' / { sub(/.*bits_offset=/, \"\"); print int(\$1 / 8); exit } f && /^\\[/ { exit }")
      fi
      if [ "$MECH" = auto ]; then
        # tracefs' own README says what this kernel's probes can do.
        MECH=kprobe
        grep -q 'f\[:' $T/README && MECH=fprobe
      fi
    }

    # Conditions of the form `func==A || func==B`, of those functions that exist.
    anyof() {
      field=$1; shift; out=
      for f; do a=$(sym "$f"); [ -n "$a" ] && out="$out${out:+ || }$field==$a"; done
      echo "$out"
    }
    within() {
      out=
      for f; do a=$(sym "$f"); [ -n "$a" ] && out="$out${out:+ || }(ra>=$a && ra<$(next "$f"))"; done
      echo "$out"
    }
    condition() {
      case $1 in
        CALLBACKS*)
          set -- ${1#CALLBACKS}
          [ $# -gt 0 ] || set -- tlb_remove_table_rcu pte_free_now __tlb_remove_table_one_rcu
          anyof func "$@" ;;
        CALLERS*) set -- ${1#CALLERS}; within "$@" ;;
        LOCKALLOC)
          # Until v6.12 an allocation does not name its slab: only its call site tells.
          if grep -q 'field:.* name;' $T/events/kmem/kmem_cache_alloc/format; then
            echo 'name == "page->ptl"'
          else
            within ptlock_alloc | sed 's/ra/call_site/g'
          fi ;;
        *) echo "$1" | sed "s/NRPT/$NRPT/" ;;
      esac
    }
    filter() {
      c=$(condition "$2")
      [ -n "$c" ] || return 0
      echo "$1|$c" >> "$W/filters.txt"
      [ -n "$TRACECMD" ] || echo "$c" > "$T/events/$1/filter" || say "warning: $1: this kernel does not take the filter: $c"
    }

    # probe EVENT p|r 'FUNCTION…' ' FIELD=…' FILTER: the first function that can be probed is.
    probe() {
      [ ! -e "$T/events/pt/$1" ] || return 0
      args=$4
      case $args in *__GPSEQ__*)
        [ -n "$GPSEQ" ] || { say "not probed: $1: nothing tells where rcu_state.gp_seq is (give --btf)"; return 0; }
        args=$(echo "$args" | sed "s/__GPSEQ__/$GPSEQ/g") ;;
      esac
      for f in $3; do
        grep -q " $f\$" "$W/kallsyms" || continue
        if [ "$MECH" = fprobe ]; then
          # No register can be read there, and so no call site where it is in one.
          case $args in *=%*)
            case $5 in CALLERS*) say "not probed: $1: an fprobe cannot tell the call site here"; return 0 ;; esac
            args=$(echo "$args" | sed 's/ [a-z0-9_]*=%[a-z0-9]*:[a-z0-9]*//g') ;;
          esac
          d="f:pt/$1 $f"; [ "$2" = p ] || d="$d%return"; file=dynamic_events
        else
          d="$2:pt/$1 $f"; file=kprobe_events
          [ $ARCH != riscv64 ] || args=$(echo "$args" | sed 's/$arg1/%a0/g;s/$arg2/%a1/g;s/$arg3/%a2/g;s/$arg4/%a3/g;s/$arg5/%a4/g')
        fi
        if (echo "$d$args" >> $T/$file) 2>/dev/null; then
          [ -z "$5" ] || filter "pt/$1" "$5"
          return 0
        fi
      done
      say "not probed: $1: no function of $3 can be probed here"
    }
    point() {
      [ -e "$T/events/$1" ] || { say "not recorded: $1: this kernel has no such trace point"; return 0; }
      # A condition on functions that this kernel does not have is never true.
      [ -z "$2" ] || [ -n "$(condition "$2")" ] || return 0
      echo "$1" >> "$W/points"
      [ -z "$2" ] || filter "$1" "$2"
    }
    load_bpf() {
      object=$(dirname "$0")/pt.bpf.o
      [ -e "$object" ] || die "no $object: build it from 'tracetool probes --for bpf'"
      mountpoint -q /sys/fs/bpf 2>/dev/null || mount -t bpf bpf /sys/fs/bpf 2>/dev/null
      bpftool prog loadall "$object" /sys/fs/bpf/tracetool autoattach 2> "$W/bpf.log" || die "bpftool: $(tail -1 "$W/bpf.log")"
      echo bpf_trace/bpf_trace_printk >> "$W/points"
    }
    """#

  private static let verbs = #"""
    start() {
      tracefs
      [ ! -e "$W/started" ] || die "already started: stop and clean first"
      [ "$(cat $T/current_tracer)" = nop ] || die "another tracer runs: echo nop > $T/current_tracer"
      [ ! -s $T/set_event ] || die "somebody else traces here: $(head -1 $T/set_event)"
      rm -rf "$W"; mkdir -p "$W"
      for f in trace_clock buffer_size_kb saved_cmdlines_size options/hash-ptr options/record-tgid; do
        v=$(cat $T/$f 2>/dev/null) || continue
        [ $f != trace_clock ] || v=$(echo "$v" | sed 's/.*\[\(.*\)\].*/\1/')
        echo "$f ${v%% *}" >> "$W/before"
      done
      : > "$W/started"; : > "$W/points"; : > "$W/filters.txt"
      echo 0 > $T/tracing_on
      symbols
      define
      echo $CLOCK > $T/trace_clock || die "no trace clock $CLOCK: see $T/trace_clock"
      echo $BUFKB > $T/buffer_size_kb || say "warning: $BUFKB KiB for each CPU is too much: BUFKB=… takes less"
      echo 4096 > $T/saved_cmdlines_size
      echo 0 > $T/options/hash-ptr || say "warning: pointers stay hashed: pages cannot be joined with tables"
      echo 1 > $T/options/record-tgid
      cat $T/kprobe_profile > "$W/kprobe_profile.before" 2>/dev/null
      grep -E 'PageTables|MemFree' /proc/meminfo > "$W/meminfo.before"
      [ -z "$TRACECMD" ] || return 0
      : > $T/trace
      [ ! -e $T/events/pt ] || echo 1 > $T/events/pt/enable
      while read p; do echo 1 > "$T/events/$p/enable"; done < "$W/points"
      echo 1 > $T/tracing_on
    }

    stop() {
      tracefs
      [ -e "$W/started" ] || die "not started"
      echo 0 > $T/tracing_on
      [ ! -e $T/events/pt ] || echo 0 > $T/events/pt/enable
      while read p; do echo 0 > "$T/events/$p/enable"; done < "$W/points"
    }

    # tracefs files have no size, so tar would store them empty: everything is copied first.
    collect() {
      out=$1
      tracefs
      [ -n "$out" ] || die "collect OUT.tar"
      [ -e "$W/started" ] || die "not started"
      D=$W/capture; rm -rf "$D"; mkdir -p "$D"
      echo "$CLOCK buf=$BUFKB cmd: ${COMMAND:-?}" > "$D/cmd.txt"
      for c in $T/per_cpu/cpu*; do echo "== ${c##*/}"; cat $c/stats; done > "$D/stats.txt"
      if [ -e "$W/trace.dat" ]; then mv "$W/trace.dat" "$D/"; else cat $T/trace > "$D/trace.txt"; fi
      for f in kprobe_events dynamic_events kprobe_profile saved_cmdlines saved_tgids; do
        cat $T/$f > "$D/$f.txt" 2>/dev/null
      done
      cp "$W/kprobe_profile.before" "$W/filters.txt" "$W/meminfo.before" "$D/" 2>/dev/null
      cat $T/events/header_page > "$D/header_page.txt"; cat $T/events/header_event > "$D/header_event.txt"
      for p in $(cd $T/events && ls -d pt/*/ 2>/dev/null) $(cat "$W/points"); do
        mkdir -p "$D/formats/$p"; cat "$T/events/$p/format" > "$D/formats/$p/format"
      done
      grep -E ' (tlb_|pte_free|free_pg|__p.d_alloc|__pte_alloc|ptlock_|rcu_state|_text$|_stext$|_etext$|vmemmap)' "$W/kallsyms" > "$D/kallsyms-subset.txt"
      uname -a > "$D/uname.txt"; cat /proc/sys/kernel/random/boot_id > "$D/boot_id.txt"; cat /proc/cpuinfo > "$D/cpuinfo.txt"; cat /proc/vmstat > "$D/vmstat.txt"
      cat /proc/iomem > "$D/iomem.txt"; cat /proc/cmdline > "$D/cmdline.txt"
      zcat /proc/config.gz > "$D/config" 2>/dev/null || cp "/boot/config-$(uname -r)" "$D/config" 2>/dev/null || rm -f "$D/config"
      check_recorded
      pack "$D" "$out"
    }

    # Says what would otherwise be found out at home.
    check_recorded() {
      lost=$(awk '/^overrun:/ { n += $2 } END { print n + 0 }' "$D/stats.txt")
      [ "$lost" = 0 ] || say "warning: the buffer was too small, $lost events of its oldest part are lost: BUFKB=$((BUFKB * 4)) holds more"
      [ -e "$D/trace.txt" ] || return 0
      grep -qE ' (pt_[cd]tor|tlb_table|rcu_cb|pte_alloc)(:| )' "$D/trace.txt" && return 0
      hits=$(awk '{ n += $2 } END { print n + 0 }' "$D/kprobe_profile.txt")
      if [ "$hits" = 0 ]; then
        say "warning: no probe was hit: nothing freed a page table meanwhile?"
      else
        say "warning: probes were hit $hits times and nothing was recorded: this kernel cannot record kprobes (see --mechanism bpf)"
      fi
    }
    pack() {
      case $2 in
        *.gz) tar cf - -C "$1" . | gzip -1 > "$2.part" ;;
        *) tar cf "$2.part" -C "$1" . ;;
      esac && mv "$2.part" "$2" && say "wrote $2" || die "cannot write $2"
    }

    clean() {
      tracefs
      [ -e "$W/started" ] || return 0
      echo 0 > $T/tracing_on
      [ ! -e $T/events/pt ] || echo 0 > $T/events/pt/enable
      while read p; do echo 0 > "$T/events/$p/enable"; echo 0 > "$T/events/$p/filter"; done < "$W/points" 2>/dev/null
      rm -rf /sys/fs/bpf/tracetool
      # Only what this script defined goes.
      for f in $T/events/pt/*/; do
        [ -d "$f" ] || continue
        e=$(basename "$f"); echo "-:pt/$e" >> $T/dynamic_events 2>/dev/null || echo "-:pt/$e" >> $T/kprobe_events
      done
      while read f v; do echo "$v" > "$T/$f"; done < "$W/before" 2>/dev/null
      : > $T/trace; echo 1 > $T/tracing_on
      rm -rf "$W"
    }

    record() {
      out=$1; shift
      [ -n "$out" ] && [ $# -gt 0 ] || die "record OUT.tar COMMAND…"
      COMMAND=$*
      start
      trap 'stop; clean; exit 130' INT TERM
      if [ -n "$TRACECMD" ]; then trace_cmd_record "$@"; code=$?; else "$@"; code=$?; fi
      sleep 1   # callbacks of the last tables still wait for their grace period
      [ -n "$TRACECMD" ] || stop
      collect "$out"
      clean
      return $code
    }
    # `trace-cmd extract` clears filters; `record` takes them with each event.
    trace_cmd_record() {
      set -- -- "$@"
      for e in $(cd $T/events && ls -d pt/*/ 2>/dev/null | sed 's,/$,,') $(cat "$W/points"); do
        f=$(grep "^$e|" "$W/filters.txt" | head -1 | cut -d'|' -f2-)
        if [ -n "$f" ]; then set -- -e "$(echo "$e" | tr / :)" -f "$f" "$@"; else set -- -e "$(echo "$e" | tr / :)" "$@"; fi
      done
      trace-cmd record -q -C $CLOCK -b $BUFKB -o "$W/trace.dat" "$@"
    }

    # What `tracetool probes` can use to choose probes for this machine.
    survey() {
      out=$1
      tracefs
      [ -n "$out" ] || die "survey OUT.tar"
      D=$W/survey; rm -rf "$D"; mkdir -p "$D"
      cat /proc/kallsyms > "$D/kallsyms"; cat $T/available_filter_functions > "$D/available_filter_functions" 2>/dev/null
      zcat /proc/config.gz > "$D/config" 2>/dev/null || cp "/boot/config-$(uname -r)" "$D/config" 2>/dev/null || rm -f "$D/config"
      cat /sys/kernel/btf/vmlinux > "$D/btf" 2>/dev/null || rm -f "$D/btf"
      uname -a > "$D/uname.txt"; uname -r > "$D/release"; uname -m > "$D/machine"; cat $T/README > "$D/tracefs-README"
      pack "$D" "$out"
    }

    case $1 in
      start | stop | clean) $1 ;;
      collect | survey) $1 "$2" ;;
      record) shift; record "$@" ;;
      *)
        echo "usage: sh $0 record OUT.tar COMMAND…   set the probes, run COMMAND, collect, clean up" >&2
        echo "       sh $0 start | stop | collect OUT.tar | clean   the same by hand" >&2
        echo "       sh $0 survey OUT.tar   symbols, configuration and BTF, for tracetool probes --target" >&2
        exit 2 ;;
    esac

    """#
}
