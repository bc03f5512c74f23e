# shellcheck shell=bash disable=SC2154
# Apicurio as a schema registry with Confluent's API, in memory; always a Java process. Read by scripts/services, over with-java.sh.

registry_answers() { http "http://127.0.0.1:$RXFLUME_REGISTRY_PORT/apis/ccompat/v7/subjects" >/dev/null; }

registry_start() {
  local app=$dir/lib/registry/app deadline
  one_at_a_time
  install registry
  if [ ! -d "$app" ]; then
    mkdir -p "$app.part" && tar -xzf "$dir"/lib/registry/apicurio-registry-app-*-all.tar.gz -C "$app.part" && mv "$app.part" "$app"
  fi
  if [ -z "$(pid_of registry)" ]; then
    refuse_taken_ports registry
    detach registry -Xmx384m -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true -Dquarkus.http.host=127.0.0.1 \
      "-Dquarkus.http.port=$RXFLUME_REGISTRY_PORT" -Dquarkus.http.access-log.enabled=false \
      -jar "$app"/apicurio-registry-app-*-runner.jar
  fi
  deadline=$((SECONDS + wait_s))
  until registry_answers; do
    [ -n "$(pid_of registry)" ] || fail_with_log registry 'ended while it was starting'
    [ $SECONDS -lt $deadline ] || fail_with_log registry "was not usable after $wait_s s"
    sleep 0.2
  done
  printf '%-9s %-8s http://127.0.0.1:%s/apis/ccompat/v7  pid %s\n' registry up "$RXFLUME_REGISTRY_PORT" "$(pid_of registry)"
}

registry() { # command
  case ${1-} in
    start) registry_start ;;
    stop) stop registry ;;
    pid) pid_of registry ;;
    kill | pause | resume)
      [ -n "$(pid_of registry)" ] || die 1 'the registry is down'
      case $1 in
        kill) signal KILL registry ;;
        pause) signal STOP registry ;;
        resume) signal CONT registry ;;
      esac
      ;;
    *) wrong_use "registry knows start, stop, kill, pause, resume and pid, not '${1-}'" ;;
  esac
}
