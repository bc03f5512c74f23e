# shellcheck shell=bash disable=SC2154
# The services in Docker Compose; their data lives and dies with the containers. Read by scripts/services.

project=rxflume-$(printf %s "$dir" | cksum | cut -d ' ' -f 1)

compose() { docker compose -p "$project" -f "$root/deploy/compose.yml" "$@" </dev/null; }

container() { echo "$project-$1-1"; }

inspect() { docker inspect -f "$2" "$(container "$1")" 2>/dev/null || true; }

has_rabbitmq() { true; }

# Prometheus and Alertmanager are processes here too.
as_process() { (with_java && "$@"); }

install() { # part...
  local part images
  install_monitors "$@"
  # shellcheck disable=SC2046
  set -- $(printf '%s\n' "$@" | grep -vxE 'prometheus|alertmanager')
  [ $# -gt 0 ] || return 0
  command -v curl >/dev/null || die 3 'curl is missing: install it'
  for part; do
    case $part in
      kafka) images='kafka' ;;
      hdfs) images='namenode datanode' ;;
      rabbitmq) images='rabbitmq' ;;
    esac
    # shellcheck disable=SC2086
    compose pull -q --policy missing $images >&2
  done
}

pid_of() {
  if is_monitor "$1"; then as_process pid_of "$1"; else inspect "$1" '{{if .State.Running}}{{.State.Pid}}{{end}}'; fi
}

is_paused() {
  if is_monitor "$1"; then as_process is_paused "$1"; else [ "$(inspect "$1" '{{.State.Paused}}')" = true ]; fi
}

ended() { if is_monitor "$1"; then as_process ended "$@"; else [ -z "$(pid_of "$1")" ]; fi; }

send() {
  if is_monitor "$1"; then
    as_process send "$@"
    return
  fi
  case $2 in
    STOP) docker pause "$(container "$1")" ;;
    CONT) docker unpause "$(container "$1")" ;;
    *) docker kill -s "$2" "$(container "$1")" ;;
  esac >/dev/null
}

log_of() { if is_monitor "$1"; then as_process log_of "$1"; else echo "docker logs $(container "$1")"; fi; }

log_text() { if is_monitor "$1"; then as_process log_text "$1"; else docker logs "$(container "$1")" 2>&1; fi; }

launch() {
  local service containers=''
  for service; do
    if is_monitor "$service"; then as_process launch "$service"; else containers="$containers $service"; fi
  done
  # shellcheck disable=SC2086
  [ -z "$containers" ] || compose up -d --no-deps --quiet-pull $containers >&2
}

tidy() { true; }

discard() {
  compose down -v >&2
  rm -rf "$dir/data" "$dir/tmp"
}

in_container() { # service variable=value command...
  exec docker exec -i -e "$2" -e HADOOP_ROOT_LOGGER=ERROR,console "$(container "$1")" "${@:3}"
}

hdfs_shell() { in_container namenode "HADOOP_USER_NAME=${HADOOP_USER_NAME:-hdfs}" hdfs dfs "$@"; }

kafka_tool() { # class argument...
  in_container kafka KAFKA_HEAP_OPTS=-Xmx256m /opt/kafka/bin/kafka-run-class.sh "$1" \
    --bootstrap-server "127.0.0.1:$RXFLUME_KAFKA_PORT" "${@:2}"
}

rabbitmq_tool() { exec docker exec -i "$(container rabbitmq)" rabbitmqctl --quiet "$@"; } # argument...
