# shellcheck shell=bash disable=SC2154
# The services as processes: of Maven artifacts, and RabbitMQ of a Debian package. Read by scripts/services.

# shellcheck source=/dev/null
. "$parts/rabbitmq.sh"

export RXFLUME_SERVICES_BIND=127.0.0.1 RXFLUME_NAMENODE_HOST=127.0.0.1
export RXFLUME_KAFKA_DATA=$dir/data/kafka/log RXFLUME_HDFS_DATA=$dir/data
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

hadoop=(
  --add-opens=java.base/java.lang=ALL-UNNAMED
  -Djava.net.preferIPv4Stack=true
  -cp "$parts/hdfs:$dir/lib/webapps:$dir/lib/hdfs/*"
)
kafka=(
  "-Dlog4j2.configurationFile=$parts/kafka/log4j2.xml"
  -Djava.net.preferIPv4Stack=true
  -cp "$dir/lib/kafka/*"
)
any=(-XX:-UsePerfData -XX:+UseSerialGC "-Djava.io.tmpdir=$dir/tmp")
short=("${any[@]}" -XX:TieredStopAtLevel=1 -Drxflume.log.level=ERROR "-Dhadoop.root.logger=ERROR,console")

need() { # package what
  say "$2"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "install it: apt-get update && apt-get install -y --no-install-recommends $1"
  else
    say "install it: Debian and Ubuntu have the packages $1"
  fi
  exit 3
}

need_java() {
  local version
  [ -d /proc/self ] || die 3 'without Docker this needs Linux (it finds its processes in /proc)'
  command -v curl >/dev/null || need curl 'curl is missing'
  version=$("$java" -XX:-UsePerfData -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || true
  [ -n "$version" ] || need openjdk-17-jre-headless "Java is missing ('$java' does not run); 17 is the one that is tried"
  [ "$version" -ge 17 ] || need openjdk-17-jre-headless "'$java' is Java $version; Kafka needs 17"
}

install() { # part...
  local part lib want
  case " $* " in *' rabbitmq '*) install_rabbitmq ;; esac
  install_monitors "$@"
  # shellcheck disable=SC2046
  set -- $(printf '%s\n' "$@" | grep -vxE 'rabbitmq|prometheus|alertmanager')
  [ $# -gt 0 ] || return 0
  need_java
  mkdir -p "$dir/lib/webapps/webapps/hdfs" "$dir/lib/webapps/webapps/datanode"
  for part; do
    lib=$dir/lib/$part
    want=$(cksum <"$parts/$part/pom.xml")
    if [ -f "$lib/complete" ] && [ "$(cat "$lib/complete")" = "$want" ]; then continue; fi
    command -v mvn >/dev/null || need maven 'Maven is missing (mvn)'
    say "downloading the jars of $part to $lib"
    rm -rf "$lib" "$lib.part"
    MAVEN_OPTS="${MAVEN_OPTS-} -XX:-UsePerfData" mvn -q -B -f "$parts/$part/pom.xml" dependency:copy-dependencies \
      "-DoutputDirectory=$lib.part" >"$dir/logs/maven.log" 2>&1 </dev/null || {
      say "Maven failed; its log is $dir/logs/maven.log, the last lines:"
      tail -n 20 "$dir/logs/maven.log" | sed 's/^/  | /' >&2
      exit 1
    }
    echo "$want" >"$lib.part/complete"
    mv "$lib.part" "$lib"
  done
}

# A process is known by an argument that nothing else has, so that no file of process ids can be stale.
pid_of() {
  local file mark=-Drxflume.service=$1@$dir
  case $1 in
    rabbitmq | rabbitmq-secure | rabbitmq[123]) mark=-Drxflume.service=$1@$(rabbitmq_mark) ;;
    prometheus | alertmanager) mark=$(monitor_mark "$1") ;;
    kdc) mark=$dir/data/kerberos/kdc.pid ;;
  esac
  file=$(grep -lzFx -f <(echo "$mark") /proc/[0-9]*/cmdline 2>/dev/null | sort -t / -k 3n) || true
  file=${file%%$'\n'*} file=${file#/proc/}
  echo "${file%/cmdline}"
}

is_paused() { grep -q '^State:.T' "/proc/$(pid_of "$1")/status" 2>/dev/null; }

# A process that exits shows no command line, then a zombie, while its last threads still hold its ports.
ended() {
  [ -d "/proc/$2/task" ] || return 0
  grep -q '^State:.Z' "/proc/$2/status" 2>/dev/null && [ "$(ls "/proc/$2/task" 2>/dev/null)" = "$2" ]
}

send() { kill -s "$2" "$(pid_of "$1")"; }

log_of() { echo "$dir/logs/$1.log"; }

log_text() { cat "$(log_of "$1")"; }

format() { # service
  local data=$dir/data/$1
  [ ! -f "$data/formatted" ] || return 0
  rm -rf "$data"
  mkdir -p "$data"
  case $1 in
    kafka)
      "$java" "${short[@]}" "${kafka[@]}" kafka.tools.StorageTool format \
        --cluster-id="$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d =)" -c "$parts/kafka/server.properties"
      ;;
    namenode)
      HADOOP_USER_NAME=hdfs "$java" "${short[@]}" "${hadoop[@]}" \
        org.apache.hadoop.hdfs.server.namenode.NameNode -format -force -nonInteractive
      ;;
  esac >"$(log_of "$1")" 2>&1 </dev/null
  touch "$data/formatted"
}

launch() { # service...
  local service children='' child
  cd "$dir" || exit
  for service; do
    if [ -f "$(log_of "$service")" ]; then mv -f "$(log_of "$service")" "$dir/logs/$service.previous.log"; fi
    format "$service" &
    children="$children $service:$!"
  done
  for child in $children; do
    wait "${child#*:}" || fail_with_log "${child%:*}" 'could not be formatted'
  done
  for service; do
    case $service in
      kafka) detach kafka -Xmx512m "${kafka[@]}" kafka.Kafka "$parts/kafka/server.properties" ;;
      namenode) detach namenode -Xmx384m -XX:TieredStopAtLevel=1 "${hadoop[@]}" org.apache.hadoop.hdfs.server.namenode.NameNode ;;
      rabbitmq) detach rabbitmq ;;
      prometheus | alertmanager) configure_monitor "$service" && detach "$service" ;;
      datanode) detach datanode -Xmx384m -XX:TieredStopAtLevel=1 "${hadoop[@]}" org.apache.hadoop.hdfs.server.datanode.DataNode ;;
    esac
  done
}

# Where the next process is started: a command in front of it.
within=()

# A daemon that keeps any descriptor of ours keeps our caller's pipe, or our lock, open as long as it lives.
detach() { # service java-argument...; rabbitmq, prometheus or alertmanager
  local service=$1 fd child
  shift
  (
    for fd in /proc/"$BASHPID"/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    if [ "${service%-secure}" = rabbitmq ]; then
      rabbitmq_environment
      [ "$service" = rabbitmq ] || rabbitmq_secure_environment
      exec setsid $rabbitmq_bin/rabbitmq-server </dev/null >>"$(log_of "$service")" 2>&1
    fi
    if [[ $service = rabbitmq[123] ]]; then exec setsid $rabbitmq_bin/rabbitmq-server </dev/null >>"$(log_of "$service")" 2>&1; fi
    if is_monitor "$service"; then
      # shellcheck disable=SC2046
      exec setsid $(monitor_command "$service") </dev/null >>"$(log_of "$service")" 2>&1
    fi
    if [ "$service" = kdc ]; then
      PATH=$PATH:/usr/sbin
      exec setsid krb5kdc -n -P "$dir/data/kerberos/kdc.pid" </dev/null >>"$(log_of kdc)" 2>&1
    fi
    exec setsid ${within[@]+"${within[@]}"} env HADOOP_USER_NAME=hdfs "$java" "-Drxflume.service=$service@$dir" "${any[@]}" "$@" \
      </dev/null >>"$(log_of "$service")" 2>&1
  ) &
  child=$!
  until [ -n "$(pid_of "$service")" ] || ! kill -0 $child 2>/dev/null; do sleep 0.02; done
}

tidy() { [ "$1" != rabbitmq ] || end_epmd; } # service that has ended

discard() { rm -rf "$dir/data" "$dir/tmp"; }

hdfs_shell() {
  HADOOP_USER_NAME=${HADOOP_USER_NAME:-hdfs} exec "$java" -Xmx256m "${short[@]}" "${hadoop[@]}" \
    org.apache.hadoop.fs.FsShell "$@"
}

kafka_tool() { # class argument...
  local class=$1
  shift
  exec "$java" -Xmx256m "${short[@]}" "${kafka[@]}" "$class" --bootstrap-server "127.0.0.1:$RXFLUME_KAFKA_PORT" "$@"
}
