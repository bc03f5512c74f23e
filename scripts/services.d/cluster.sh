# shellcheck shell=bash disable=SC2154
# A cluster of each kind on this machine, for the tests of what happens among several nodes: three Kafka brokers that are controllers
# too, each in a network namespace of its own; three RabbitMQ nodes; two NameNodes with shared edits, and two DataNodes. Always
# processes. Read by scripts/services, over with-java.sh.

cluster_kinds=(kafka rabbitmq hdfs)

cluster_nodes() { # kind or node...
  local one
  [ $# -gt 0 ] || set -- "${cluster_kinds[@]}"
  for one; do
    case $one in
      kafka | rabbitmq) echo "${one}1 ${one}2 ${one}3" ;;
      hdfs) echo namenode1 namenode2 datanode1 datanode2 ;;
      kafka[123] | rabbitmq[123] | namenode[12] | datanode[12]) echo "$one" ;;
      *) wrong_use "a cluster has kafka, rabbitmq and hdfs, with kafka1 to 3, rabbitmq1 to 3, namenode1, namenode2, datanode1 and datanode2, not '$one'" ;;
    esac
  done
}

# Ports from RXFLUME_CLUSTER_PORT on; the brokers have addresses of their own instead, so that each can be cut off.
cluster_environment() {
  local base=$RXFLUME_CLUSTER_PORT
  cluster=$dir/data/cluster
  cluster_mark=$(($(rabbitmq_mark) % 250))
  cluster_data=$cluster/data
  export RXFLUME_CLUSTER_NET=10.213.$cluster_mark
  export RXFLUME_CLUSTER_EPMD=$base
  export RXFLUME_CLUSTER_HTTP1=$((base + 11)) RXFLUME_CLUSTER_HTTP2=$((base + 12))
  export RXFLUME_CLUSTER_RPC1=$((base + 13)) RXFLUME_CLUSTER_RPC2=$((base + 14))
}

cluster_hadoop=(
  --add-opens=java.base/java.lang=ALL-UNNAMED
  -Djava.net.preferIPv4Stack=true
  -cp "$parts/cluster:$dir/lib/webapps:$dir/lib/hdfs/*"
)

# What one node has of its own.
cluster_environment_of() { # node
  local number=${1: -1} base=$RXFLUME_CLUSTER_PORT
  export RXFLUME_CLUSTER_SELF=$1 RXFLUME_CLUSTER_NODE=$number RXFLUME_CLUSTER_DATA=$cluster_data
  export RXFLUME_CLUSTER_NAMENODE=namenode$number
  export RXFLUME_CLUSTER_DN=$((base + 14 + number)) RXFLUME_CLUSTER_DN_HTTP=$((base + 16 + number)) RXFLUME_CLUSTER_DN_IPC=$((base + 18 + number))
  within=()
  case $1 in
    kafka*)
      export RXFLUME_CLUSTER_DATA=$cluster_data/$1
      within=(ip netns exec "$(cluster_namespace "$number")")
      ;;
    datanode*)
      export RXFLUME_CLUSTER_NAMENODE=
      ;;
    rabbitmq*)
      rabbitmq_environment
      # The nodes of a cluster share a cookie, and the register of nodes.
      export HOME=$cluster_data/rabbitmq
      export RABBITMQ_CONFIG_FILE=$parts/cluster/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$parts/cluster/advanced.config
      export RABBITMQ_ENABLED_PLUGINS_FILE=$HOME/enabled_plugins RABBITMQ_GENERATED_CONFIG_DIR=$HOME/config$number
      export RABBITMQ_MNESIA_BASE=$HOME/mnesia RABBITMQ_LOG_BASE=$HOME/log RABBITMQ_PID_FILE=$HOME/pid$number
      export RABBITMQ_NODENAME=rxflume$number@localhost RABBITMQ_NODE_PORT=$((base + number)) RABBITMQ_DIST_PORT=$((base + 3 + number))
      export ERL_EPMD_PORT=$RXFLUME_CLUSTER_EPMD
      export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none +S 2 -Drxflume.service=$1@$(rabbitmq_mark)"
      ;;
  esac
}

# --- the network of the brokers --------------------------------------------------------------------------------------

cluster_namespace() { echo "rxflume-$cluster_mark-$1"; }
cluster_bridge() { echo "rxf$cluster_mark"; }

cluster_network() {
  local bridge namespace number
  bridge=$(cluster_bridge)
  { [ "$(id -u)" = 0 ] && command -v ip >/dev/null; } || die 3 'a cluster of Kafka needs root and the package iproute2, for a network namespace a broker'
  ip link show "$bridge" >/dev/null 2>&1 || {
    ip link add "$bridge" type bridge && ip addr add "$RXFLUME_CLUSTER_NET.254/24" dev "$bridge" && ip link set "$bridge" up
  } || die 1 "cannot create the bridge $bridge for the brokers"
  for number in 1 2 3; do
    namespace=$(cluster_namespace $number)
    [ ! -e "/run/netns/$namespace" ] || continue
    ip netns add "$namespace"
    ip link add "$bridge-$number" type veth peer name eth0 netns "$namespace"
    ip link set "$bridge-$number" master "$bridge" up
    ip -n "$namespace" addr add "$RXFLUME_CLUSTER_NET.$number/24" dev eth0
    ip -n "$namespace" link set lo up
    ip -n "$namespace" link set eth0 up
  done
}

cluster_no_network() {
  local number
  for number in 1 2 3; do
    [ ! -e "/run/netns/$(cluster_namespace $number)" ] || ip netns del "$(cluster_namespace $number)"
  done
  ! ip link show "$(cluster_bridge)" >/dev/null 2>&1 || ip link del "$(cluster_bridge)"
}

# Clients reach a broker that is cut off from the other brokers and controllers.
cluster_route() { # add|del kafka node
  local number=${2: -1} other
  case $2 in kafka[123]) ;; *) wrong_use "cut and join are of kafka1, kafka2 and kafka3, not of '$2'" ;; esac
  for other in 1 2 3; do
    [ "$other" = "$number" ] || ip -n "$(cluster_namespace "$number")" route "$1" blackhole "$RXFLUME_CLUSTER_NET.$other/32" 2>/dev/null || true
  done
}

# --- starting --------------------------------------------------------------------------------------------------------

cluster_format() { # node
  case $1 in
    kafka*)
      [ ! -f "$cluster_data/$1/formatted" ] || return 0
      mkdir -p "$cluster_data/$1" &&
        "$java" "${short[@]}" "${kafka[@]}" kafka.tools.StorageTool format --cluster-id="$(cat "$cluster_data/id")" -c "$parts/cluster/server.properties" &&
        touch "$cluster_data/$1/formatted"
      ;;
    namenode1)
      [ ! -f "$cluster_data/namenode1/formatted" ] || return 0
      # Both begin with the same image.
      mkdir -p "$cluster_data/edits" &&
        HADOOP_USER_NAME=hdfs "$java" "${short[@]}" "${cluster_hadoop[@]}" org.apache.hadoop.hdfs.server.namenode.NameNode -format -force -nonInteractive &&
        touch "$cluster_data/namenode1/formatted" &&
        cp -r "$cluster_data/namenode1" "$cluster_data/namenode2"
      ;;
    rabbitmq1)
      [ ! -f "$cluster_data/rabbitmq/enabled_plugins" ] || return 0
      mkdir -p "$cluster_data/rabbitmq"
      (umask 377 && head -c 15 /dev/urandom | base64 | tr '+/' 'AB' >"$cluster_data/rabbitmq/.erlang.cookie")
      echo '[].' >"$cluster_data/rabbitmq/enabled_plugins"
      ;;
  esac
}

cluster_launch() { # node
  cluster_environment_of "$1"
  case $1 in
    kafka*) detach "$1" -Xms64m -Xmx288m -XX:TieredStopAtLevel=1 "${kafka[@]}" kafka.Kafka "$parts/cluster/server.properties" ;;
    rabbitmq*) detach "$1" ;;
    namenode*) detach "$1" -Xmx256m -XX:TieredStopAtLevel=1 "${cluster_hadoop[@]}" org.apache.hadoop.hdfs.server.namenode.NameNode ;;
    datanode*) detach "$1" -Xmx256m -XX:TieredStopAtLevel=1 "${cluster_hadoop[@]}" org.apache.hadoop.hdfs.server.datanode.DataNode ;;
  esac
}

cluster_http_of() { local name=RXFLUME_CLUSTER_HTTP${1: -1}; echo "${!name}"; }

cluster_active() { # prints the NameNode that is active
  local node
  for node in namenode1 namenode2; do
    case $(http "http://127.0.0.1:$(cluster_http_of $node)/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus") in
      *'"State" : "active"'*) echo $node && return ;;
    esac
  done
  return 1
}

# How many brokers a broker knows: Metadata, as in kafka_answers.
cluster_brokers() { # node
  local count
  count=$(
    { exec 3<>"/dev/tcp/$RXFLUME_CLUSTER_NET.${1: -1}/9092"; } 2>/dev/null || exit 0
    printf '\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\0\0\0\0' >&3
    timeout 2 head -c 12 <&3 | od -An -tu1 -j11 2>/dev/null
  )
  echo "$((count))"
}

cluster_running() { # kind
  local node count=0
  for node in $(cluster_nodes "$1"); do ! runs "$node" || count=$((count + 1)); done
  echo $count
}

cluster_usable() { # node
  case $1 in
    kafka*) [ "$(cluster_brokers "$1")" -ge "$(cluster_running kafka)" ] ;;
    rabbitmq*) (RXFLUME_RABBITMQ_PORT=$((RXFLUME_CLUSTER_PORT + ${1: -1})) && rabbitmq_answers) ;;
    namenode*) http "http://127.0.0.1:$(cluster_http_of "$1")/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus" >/dev/null ;;
    datanode*) http "http://127.0.0.1:$((RXFLUME_CLUSTER_PORT + 16 + ${1: -1}))/jmx?qry=java.lang:type=Runtime" >/dev/null ;;
  esac
}

cluster_start() { # kind or node...
  local nodes node kinds='' formats='' deadline
  nodes=$(cluster_nodes "$@") || exit
  one_at_a_time
  case $nodes in *rabbitmq*) install_rabbitmq ;; esac
  case $nodes in *kafka*) kinds="$kinds kafka" ;; esac
  case $nodes in *node[12]*) kinds="$kinds hdfs" ;; esac
  # shellcheck disable=SC2086
  [ -z "$kinds" ] || install $kinds
  mkdir -p "$cluster_data"
  [ -f "$cluster_data/id" ] || head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d = >"$cluster_data/id"
  case $nodes in *kafka*) cluster_network ;; esac
  keep_settings
  for node in $nodes; do
    (cluster_environment_of "$node" && cluster_format "$node" >"$(log_of "$node")" 2>&1 </dev/null || fail_with_log "$node" 'could not be formatted') &
    formats="$formats $!"
  done
  for node in $formats; do wait "$node" || exit 1; done
  for node in $nodes; do
    if [ -z "$(pid_of "$node")" ]; then
      (cluster_launch "$node")
    elif is_paused "$node"; then
      send "$node" CONT
    fi
  done
  deadline=$((SECONDS + wait_s))
  for node in $nodes; do
    until cluster_usable "$node"; do
      [ -n "$(pid_of "$node")" ] || { sleep 0.5 && [ -n "$(pid_of "$node")" ]; } || fail_with_log "$node" 'ended while it was starting'
      [ $SECONDS -lt $deadline ] || fail_with_log "$node" "was not usable after $wait_s s"
      sleep 0.3
    done
  done
  case $nodes in
    *namenode1*namenode2*)
      cluster_active >/dev/null || cluster_activate namenode1
      cluster_lay_out_hdfs
      ;;
  esac
}

cluster_lay_out_hdfs() {
  local lake
  lake="http://127.0.0.1:$(cluster_http_of "$(cluster_active)")/webhdfs/v1/lake?user.name=hdfs"
  { http -X PUT "$lake&op=MKDIRS" && http -X PUT "$lake&op=SETOWNER&owner=flume&group=flume"; } >/dev/null ||
    die 1 'HDFS answers, but refused to make /lake'
}

# Makes one NameNode active, and the other standby if it answers; one that hangs must have been killed.
cluster_activate() { # namenode
  local other=namenode1
  case $1 in namenode1) other=namenode2 ;; namenode2) ;; *) wrong_use "activate namenode1 or namenode2, not '$1'" ;; esac
  [ "$(cluster_active)" != "$1" ] || return 0
  ! runs $other || [ "$(cluster_active)" != $other ] || cluster_haadmin -transitionToStandby $other
  # A graceful one asks the other for its state, which may be gone.
  if runs $other; then cluster_haadmin -transitionToActive "$1"; else cluster_haadmin -transitionToActive --forceactive "$1"; fi
}

cluster_haadmin() {
  HADOOP_USER_NAME=hdfs RXFLUME_CLUSTER_DATA=$cluster_data "$java" -Xmx64m "${short[@]}" "${cluster_hadoop[@]}" \
    org.apache.hadoop.hdfs.tools.DFSHAAdmin -ns lake "$@" </dev/null >>"$dir/logs/haadmin.log" 2>&1 ||
    die 1 "haadmin $* failed; its log is $dir/logs/haadmin.log"
}

# A node ends well and keeps its data; of a kind, or of all, nothing is kept, so nothing has to end well.
cluster_stop() { # kind or node...
  local kind
  [ $# -gt 0 ] || set -- "${cluster_kinds[@]}"
  for kind; do
    case $kind in
      kafka | rabbitmq | hdfs) cluster_discard "$kind" ;;
      *) stop "$(cluster_nodes "$kind")" ;;
    esac
  done
}

cluster_discard() { # kind
  local nodes node pid
  nodes=$(cluster_nodes "$1") || exit
  for node in $nodes; do
    pid=$(pid_of "$node")
    [ -n "$pid" ] || continue
    send "$node" KILL || true
    await_end "$node" "$pid" 20 || die 1 "$node (pid $pid) does not end, even on SIGKILL"
  done
  case $1 in
    kafka)
      ! command -v ip >/dev/null || cluster_no_network
      rm -rf "$cluster_data"/kafka[123] "$cluster_data/id"
      ;;
    rabbitmq)
      ! command -v epmd >/dev/null || ERL_EPMD_PORT=$RXFLUME_CLUSTER_EPMD epmd -kill >/dev/null 2>&1 || true
      rm -rf "$cluster_data/rabbitmq"
      ;;
    hdfs) rm -rf "$cluster_data"/namenode[12] "$cluster_data"/datanode[12] "$cluster_data/edits" ;;
  esac
}

cluster_env() {
  local net=$RXFLUME_CLUSTER_NET port=$RXFLUME_CLUSTER_PORT
  printf 'RXFLUME_CLUSTER_KAFKA=%s.1:9092,%s.2:9092,%s.3:9092\n' "$net" "$net" "$net"
  printf 'RXFLUME_CLUSTER_RABBITMQ=amqp://127.0.0.1:%s,amqp://127.0.0.1:%s,amqp://127.0.0.1:%s\n' $((port + 1)) $((port + 2)) $((port + 3))
  printf 'RXFLUME_CLUSTER_HDFS=http://127.0.0.1:%s,http://127.0.0.1:%s\n' "$RXFLUME_CLUSTER_HTTP1" "$RXFLUME_CLUSTER_HTTP2"
}

cluster_signal() { # signal node...
  local name=$1
  shift
  [ $# -gt 0 ] || wrong_use 'name a node, such as kafka1'
  # shellcheck disable=SC2046
  signal "$name" $(cluster_nodes "$@")
}

cluster() { # command argument...
  local command=${1-}
  [ $# -eq 0 ] || shift
  cluster_environment
  case $command in
    start) cluster_start "$@" ;;
    stop) cluster_stop "$@" ;;
    env) cluster_env ;;
    status) local node; for node in $(cluster_nodes "$@"); do printf '%-12s %s\n' "$node" "$(pid_of "$node" | grep . || echo down)"; done ;;
    kill) cluster_signal KILL "$@" ;;
    pause) cluster_signal STOP "$@" ;;
    resume) cluster_signal CONT "$@" ;;
    cut) cluster_route add "${1-}" ;;
    join) cluster_route del "${1-}" ;;
    active) cluster_active || die 1 'no NameNode is active' ;;
    activate) cluster_activate "${1-}" ;;
    hdfs)
      export RXFLUME_CLUSTER_DATA=$cluster_data HADOOP_USER_NAME=${HADOOP_USER_NAME:-hdfs}
      exec "$java" -Xmx256m "${short[@]}" "${cluster_hadoop[@]}" org.apache.hadoop.fs.FsShell "$@"
      ;;
    kafka)
      local tool=${1-}
      shift
      exec "$java" -Xmx256m "${short[@]}" "${kafka[@]}" "$tool" --bootstrap-server "$RXFLUME_CLUSTER_NET.1:9092,$RXFLUME_CLUSTER_NET.2:9092,$RXFLUME_CLUSTER_NET.3:9092" "$@"
      ;;
    rabbitmqctl)
      cluster_environment_of "${1-rabbitmq1}"
      shift
      exec $rabbitmq_bin/rabbitmqctl --quiet "$@"
      ;;
    *) wrong_use "cluster knows start, stop, env, status, kill, pause, resume, cut, join, active, activate, hdfs, kafka and rabbitmqctl, not '$command'" ;;
  esac
}
