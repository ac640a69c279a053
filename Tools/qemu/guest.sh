# What the guest does once it is up: tells the host what its kernel has, waits for the probes that
# the host chose by it, and records the workload with them. Lies in /host, with:
#   survey.sh       tracetool probes, for any kernel
#   pt.sh           tracetool probes, for this one (the host writes it and then makes `go`)
#   pt.bpf.o        its BPF programs, where it needs them
#   workload.args   what to record
cd /tmp
sh /host/survey.sh survey /host/survey.tar || exit 1
waited=0
while [ ! -e /host/go ]; do
  sleep 1
  waited=$((waited + 1))
  [ $waited -lt 900 ] || { echo "guest: the host did not answer"; exit 1; }
done
sh /host/pt.sh record /host/capture.tar /bin/workload $(cat /host/workload.args)
