# shellcheck shell=bash disable=SC2154
# Prometheus and Alertmanager of Debian's packages, on the configuration in deploy/. Read by scripts/services.

is_monitor() { case $1 in prometheus | alertmanager) ;; *) return 1 ;; esac }

# Those that were started, and whose data is kept.
known_monitors() {
  local name
  for name in prometheus alertmanager; do [ ! -d "$dir/data/$name" ] || printf '%s ' "$name"; done
}

monitor_program() { if [ "$1" = alertmanager ]; then echo prometheus-alertmanager; else echo "$1"; fi; }

install_monitors() { # part...
  local part program
  for part; do
    is_monitor "$part" || continue
    program=$(monitor_program "$part")
    command -v "$program" >/dev/null && continue
    say "$part is missing: install it: apt-get update && apt-get install -y --no-install-recommends $program"
    exit 3
  done
}

# An argument that no other process has.
monitor_mark() {
  case $1 in
    prometheus) echo "--storage.tsdb.path=$dir/data/prometheus" ;;
    alertmanager) echo "--storage.path=$dir/data/alertmanager" ;;
  esac
}

# The configuration of deploy/ with the addresses that are here.
configure_monitor() {
  local to=$dir/data/$1 targets
  targets=$(sed 's/,/", "/g' <<<"$RXFLUME_METRICS_TARGETS")
  case $1 in
    prometheus)
      cp "$root/deploy/prometheus/rxflume.rules.yml" "$to/"
      sed -e "s|127.0.0.1:9464|$targets|" -e "s|127.0.0.1:9093|127.0.0.1:$RXFLUME_ALERTMANAGER_PORT|" \
        "$root/deploy/prometheus/prometheus.yml" >"$to/prometheus.yml"
      ;;
    alertmanager) cp "$root/deploy/alertmanager/alertmanager.yml" "$to/" ;;
  esac
}

# Without blanks in it, since the shell splits it there.
monitor_command() {
  case $1 in
    prometheus)
      echo "prometheus --config.file=data/prometheus/prometheus.yml $(monitor_mark prometheus)" \
        "--web.listen-address=127.0.0.1:$RXFLUME_PROMETHEUS_PORT --log.level=warn"
      ;;
    alertmanager)
      echo "prometheus-alertmanager --config.file=data/alertmanager/alertmanager.yml $(monitor_mark alertmanager)" \
        "--web.listen-address=127.0.0.1:$RXFLUME_ALERTMANAGER_PORT --cluster.listen-address= --log.level=warn"
      ;;
  esac
}

prometheus_answers() { http "http://127.0.0.1:$RXFLUME_PROMETHEUS_PORT/-/ready" >/dev/null; }

alertmanager_answers() { http "http://127.0.0.1:$RXFLUME_ALERTMANAGER_PORT/-/ready" >/dev/null; }
