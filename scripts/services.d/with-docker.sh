# shellcheck shell=bash disable=SC2154
# The services in Docker Compose; their data lives and dies with the containers. Read by scripts/services.

project=rxflume-$(printf %s "$dir" | cksum | cut -d ' ' -f 1)

compose() { docker compose -p "$project" -f "$root/deploy/compose.yml" "$@" </dev/null; }

container() { echo "$project-$1-1"; }

inspect() { docker inspect -f "$2" "$(container "$1")" 2>/dev/null || true; }

has_rabbitmq() { true; }

install() { # part...
  local part images
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

pid_of() { inspect "$1" '{{if .State.Running}}{{.State.Pid}}{{end}}'; }

is_paused() { [ "$(inspect "$1" '{{.State.Paused}}')" = true ]; }

ended() { [ -z "$(pid_of "$1")" ]; }

send() {
  case $2 in
    STOP) docker pause "$(container "$1")" ;;
    CONT) docker unpause "$(container "$1")" ;;
    *) docker kill -s "$2" "$(container "$1")" ;;
  esac >/dev/null
}

log_of() { echo "docker logs $(container "$1")"; }

log_text() { docker logs "$(container "$1")" 2>&1; }

launch() { compose up -d --no-deps --quiet-pull "$@" >&2; }

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
