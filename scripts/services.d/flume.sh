# shellcheck shell=bash disable=SC2154
# Flume agents, as Java processes: Flume has no image of its own for Docker. Read by scripts/services, over with-java.sh.

flume_agent_name() { # name
  case ${1-} in
    '' | *[!a-zA-Z0-9_-]*) wrong_use "name an agent: letters, digits, - and _, not '${1-}'" ;;
  esac
}

flume_metrics() { http "http://127.0.0.1:$1/metrics"; } # port

# A component is in the metrics from when it is configured, and has a start time from when it runs.
flume_answers() { # port component...
  local metrics component
  metrics=$(flume_metrics "$1") || return 1
  shift
  for component; do
    case $metrics in *"\"$component\":{"*) ;; *) return 1 ;; esac
  done
  case $metrics in *'"StartTime":"0"'*) return 1 ;; esac
}

# What the agent's configuration names, in the words of its metrics. Not every source has metrics; an Avro source has.
flume_components() { # name file
  sed -n "s/^$1\.sources\.\([^.]*\)\.type *= *avro *$/SOURCE.\1/p" "$2"
  sed -n "s/^$1\.channels *= *//p" "$2" | tr ' ' '\n' | sed '/^$/d; s/^/CHANNEL./'
}

flume_start() { # name file [port]
  local name=$1 file=${2-} service=flume-$1 deadline
  [ -z "${3-}" ] || RXFLUME_FLUME_PORT=$3
  [ -f "$file" ] || wrong_use "no configuration '$file'"
  case $file in /*) ;; *) file=$PWD/$file ;; esac
  one_at_a_time
  install flume
  # An agent with HDFS sinks needs Hadoop's client too; Flume brings none.
  local classes="$dir/lib/flume/*"
  if grep -q "^$name\.sinks\.[^.]*\.type *= *hdfs *$" "$file"; then
    install hdfs
    classes="$classes:$dir/lib/hdfs/*"
  fi
  # TAILDIR, the Kafka channel and the interceptor of UUIDs are not in Flume's node.
  if grep -qiE '\.type *= *(taildir|org\.apache\.flume\.(source\.taildir|channel\.kafka|sink\.solr)\.)' "$file"; then
    install flume-more
    classes="$classes:$dir/lib/flume-more/*"
  fi
  [ -z "$(pid_of "$service")" ] || die 1 "the agent $name runs already"
  refuse_taken_ports flume
  if [ -f "$(log_of "$service")" ]; then mv -f "$(log_of "$service")" "$dir/logs/$service.previous.log"; fi
  detach "$service" -Xmx512m -Djava.net.preferIPv4Stack=true \
    -Dflume.monitoring.type=http "-Dflume.monitoring.port=$RXFLUME_FLUME_PORT" -cp "$classes" \
    org.apache.flume.node.Application --name "$name" --conf-file "$file" --no-reload-conf
  deadline=$((SECONDS + wait_s))
  # shellcheck disable=SC2046
  until flume_answers "$RXFLUME_FLUME_PORT" $(flume_components "$name" "$file"); do
    [ -n "$(pid_of "$service")" ] || fail_with_log "$service" 'ended while it was starting'
    [ $SECONDS -lt $deadline ] || fail_with_log "$service" "was not usable after $wait_s s"
    sleep 0.2
  done
  printf '%-9s up       metrics at 127.0.0.1:%s  pid %s\n' "$name" "$RXFLUME_FLUME_PORT" "$(pid_of "$service")"
}

# Every agent that was started here and runs.
flume_agents() {
  tr '\0' '\n' 2>/dev/null < <(cat /proc/[0-9]*/cmdline 2>/dev/null) |
    sed -n "s|^-Drxflume.service=\(flume-[a-zA-Z0-9_-]*\)@$dir\$|\1|p"
}

flume() { # command...
  local command=${1-} name=${2-}
  case $command in
    start)
      flume_agent_name "$name"
      flume_start "$name" "${@:3}"
      ;;
    stop)
      flume_agent_name "$name"
      stop "flume-$name"
      ;;
    kill | pause | resume)
      flume_agent_name "$name"
      [ -n "$(pid_of "flume-$name")" ] || die 1 "the agent $name is down"
      case $command in
        kill) signal KILL "flume-$name" ;;
        pause) signal STOP "flume-$name" ;;
        resume) signal CONT "flume-$name" ;;
      esac
      ;;
    pid)
      flume_agent_name "$name"
      pid_of "flume-$name"
      ;;
    metrics)
      flume_metrics "${2:-$RXFLUME_FLUME_PORT}" || die 1 "no agent answers at 127.0.0.1:${2:-$RXFLUME_FLUME_PORT}"
      ;;
    client)
      shift
      install flume
      exec "$java" -Xmx256m "${any[@]}" -Djava.net.preferIPv4Stack=true -cp "$dir/lib/flume/*" \
        org.apache.flume.client.avro.AvroCLIClient "$@"
      ;;
    log4j)
      [ $# -eq 3 ] || wrong_use 'flume log4j takes a port and a configuration'
      [ -f "$3" ] || wrong_use "no configuration '$3'"
      install flume-log4j
      exec "$java" "-Drxflume.service=flume-log4j-$2@$dir" -Xmx256m "${any[@]}" -Djava.net.preferIPv4Stack=true \
        -cp "$dir/lib/flume-log4j/*" org.apache.log4j.net.SimpleSocketServer "$2" "$3"
      ;;
    *) wrong_use "flume knows start, stop, kill, pause, resume, pid, metrics, client and log4j, not '$command'" ;;
  esac
}
