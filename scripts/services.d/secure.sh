# shellcheck shell=bash disable=SC2154
# A Kafka and a RabbitMQ that let in only who they know: TLS, SASL, client certificates and ACLs, with certificates of their own in
# data/secure/tls. Always processes. Read by scripts/services, over with-java.sh.

secure_services() { echo kafka-secure; ! has_rabbitmq || echo rabbitmq-secure; }

# What each port has, from RXFLUME_SECURE_PORT on.
secure_environment() {
  local port=$RXFLUME_SECURE_PORT name
  secure=$dir/data/secure
  export RXFLUME_SECURE_DATA=$secure
  for name in SASL MTLS EXPIRED HOST OTHER PLAINTEXT CONTROLLER AMQPS AMQPS_DIST AMQPS_EPMD; do
    export "RXFLUME_SECURE_$name=$port"
    port=$((port + 1))
  done
  RXFLUME_SECURE_PASSWORD=$(cat "$secure/password" 2>/dev/null) || true
  export RXFLUME_SECURE_PASSWORD
}

# The password and the certificates, once.
secure_secrets() {
  [ ! -f "$secure/complete" ] || return 0
  rm -rf "$secure" "$dir/data/rabbitmq-secure"
  mkdir -p "$secure/tls" "$dir/data/rabbitmq-secure"
  (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' 'ab' >"$secure/password")
  secure_environment
  bash "$parts/secure/certificates.sh" "$secure/tls"
  "$java" "${short[@]}" "${kafka[@]}" kafka.tools.StorageTool format -c "$parts/secure/server.properties" \
    --cluster-id="$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d =)" \
    --add-scram "SCRAM-SHA-256=[name=flume,password=$RXFLUME_SECURE_PASSWORD]" \
    --add-scram "SCRAM-SHA-512=[name=flume,password=$RXFLUME_SECURE_PASSWORD]" >"$(log_of kafka-secure)" 2>&1 </dev/null
  secure_rabbitmq
  touch "$secure/complete"
}

# RabbitMQ's settings have no variables.
secure_rabbitmq() {
  local hash tls=$secure/tls
  hash=$({ printf salt && printf 'salt%s' "$RXFLUME_SECURE_PASSWORD" | openssl dgst -sha256 -binary; } | base64)
  sed -e "s|@TLS@|$tls|g" -e "s|@DATA@|$secure|g" -e "s|@PORT@|$RXFLUME_SECURE_AMQPS|g" "$parts/secure/rabbitmq.conf" >"$secure/rabbitmq.conf"
  sed -e "s|@HASH@|$hash|g" "$parts/secure/definitions.json" >"$secure/definitions.json"
  sed -e "s|@KEY@|$(printf %s "$RXFLUME_SECURE_PASSWORD" | base64 | tr '+/' '-_' | tr -d =)|" "$parts/secure/advanced.config" >"$secure/advanced.config"
  echo '[rabbitmq_auth_mechanism_ssl,rabbitmq_auth_backend_oauth2].' >"$dir/data/rabbitmq-secure/enabled_plugins"
}

# Over that of the other node.
rabbitmq_secure_environment() {
  export HOME=$dir/data/rabbitmq-secure
  export RABBITMQ_CONFIG_FILE=$secure/rabbitmq.conf RABBITMQ_ADVANCED_CONFIG_FILE=$secure/advanced.config
  export RABBITMQ_ENABLED_PLUGINS_FILE=$HOME/enabled_plugins RABBITMQ_GENERATED_CONFIG_DIR=$HOME/config
  export RABBITMQ_MNESIA_BASE=$HOME/mnesia RABBITMQ_LOG_BASE=$HOME/log RABBITMQ_PID_FILE=$HOME/pid
  export RABBITMQ_NODENAME=rxflume-secure@localhost RABBITMQ_DIST_PORT=$RXFLUME_SECURE_AMQPS_DIST
  export ERL_EPMD_PORT=$RXFLUME_SECURE_AMQPS_EPMD
  unset RABBITMQ_NODE_PORT RABBITMQ_NODE_IP_ADDRESS
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -Drxflume.service=rabbitmq-secure@$(rabbitmq_mark)"
}

# What RabbitMQ answers to the beginning of AMQP: the method Connection.Start. openssl leaves with its input, so that stays open meanwhile.
secure_greeting() {
  local answer
  answer=$({ printf 'AMQP\0\0\x09\x01' && sleep 1; } | timeout 3 openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$RXFLUME_SECURE_AMQPS" 2>/dev/null | head -c 11 | od -An -tu1 -j7 2>/dev/null) || true
  # Without the spaces that od puts around.
  # shellcheck disable=SC2086
  echo $answer
}

secure_usable() {
  case $1 in
    kafka-secure) (RXFLUME_KAFKA_PORT=$RXFLUME_SECURE_PLAINTEXT && kafka_answers) ;;
    rabbitmq-secure) [ "$(secure_greeting)" = '0 10 0 10' ] ;;
  esac
}

secure_start() {
  local service deadline
  one_at_a_time
  install kafka
  command -v openssl >/dev/null || need openssl 'openssl is missing'
  secure_secrets
  for service in $(secure_services); do
    [ -z "$(pid_of "$service")" ] || continue
    refuse_taken_ports "$service"
    case $service in
      kafka-secure) detach kafka-secure -Xmx320m -XX:TieredStopAtLevel=1 "${kafka[@]}" kafka.Kafka "$parts/secure/server.properties" ;;
      rabbitmq-secure) detach rabbitmq-secure ;;
    esac
  done
  deadline=$((SECONDS + wait_s))
  for service in $(secure_services); do
    until secure_usable "$service"; do
      [ -n "$(pid_of "$service")" ] || { sleep 0.5 && [ -n "$(pid_of "$service")" ]; } || fail_with_log "$service" 'ended while it was starting'
      [ $SECONDS -lt $deadline ] || fail_with_log "$service" "was not usable after $wait_s s"
      sleep 0.2
    done
  done
  secure_env
}

secure_env() { env | grep '^RXFLUME_SECURE_' | grep -v PASSWORD | sort; }

secure_stop() {
  stop rabbitmq-secure kafka-secure
  ! command -v epmd >/dev/null || ERL_EPMD_PORT=$RXFLUME_SECURE_AMQPS_EPMD epmd -kill >/dev/null 2>&1 || true
  rm -rf "$secure" "$dir/data/rabbitmq-secure"
}

secure() { # command
  secure_environment
  case ${1-} in
    start) secure_start ;;
    stop) secure_stop ;;
    env) secure_env ;;
    *) wrong_use "secure knows start, stop and env, not '${1-}'" ;;
  esac
}
