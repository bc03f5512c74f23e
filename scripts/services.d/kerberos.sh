# shellcheck shell=bash disable=SC2154
# A KDC of MIT Kerberos, and an HDFS whose users log in by it, with https only. Keytabs, krb5.conf and certificates are in data/kerberos.
# Always processes, and only on request. Read by scripts/services, over with-java.sh.

kerberos_services=(kdc namenode-kerberos datanode-kerberos)

# What each port has, from RXFLUME_KERBEROS_PORT on.
kerberos_environment() {
  local port=$RXFLUME_KERBEROS_PORT name
  kerberos=$dir/data/kerberos
  export RXFLUME_KERBEROS_DATA=$kerberos
  for name in KDC NAMENODE NAMENODE_HTTPS DATANODE DATANODE_HTTPS DATANODE_IPC; do
    export "RXFLUME_KERBEROS_$name=$port"
    port=$((port + 1))
  done
  export KRB5_CONFIG=$kerberos/krb5.conf KRB5_KDC_PROFILE=$kerberos/kdc.conf
  kerberos_hadoop=(
    --add-opens=java.base/java.lang=ALL-UNNAMED -Djava.net.preferIPv4Stack=true "-Djava.security.krb5.conf=$KRB5_CONFIG"
    -cp "$parts/kerberos:$parts/hdfs:$dir/lib/webapps:$dir/lib/hdfs/*"
  )
}

need_kerberos() {
  local tool
  for tool in krb5kdc kdb5_util kadmin.local openssl; do
    PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null || need 'krb5-kdc krb5-admin-server openssl' "$tool is missing"
  done
}

# The npm package `kerberos`, built here: what it downloads instead may not be reachable.
install_kerberos() {
  local lib=$dir/lib/kerberos gyp
  [ ! -f "$lib/complete" ] || return 0
  [ -e /usr/include/gssapi/gssapi.h ] && command -v make >/dev/null && command -v g++ >/dev/null ||
    need 'libkrb5-dev make g++ python3' 'what the npm package kerberos is built with is missing'
  say "building the npm package kerberos in $lib"
  rm -rf "$lib"
  mkdir -p "$lib"
  gyp=$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js
  { npm install --prefix "$lib" --ignore-scripts --no-audit --no-fund kerberos@7.0.0 &&
    (cd "$lib/node_modules/kerberos" && node "$gyp" rebuild "--nodedir=$(dirname "$(dirname "$(node -p process.execPath)")")"); } \
    >"$dir/logs/kerberos-package.log" 2>&1 </dev/null || die 1 "could not build it; see $dir/logs/kerberos-package.log"
  touch "$lib/complete"
}

# All keys are random; those of stale.keytab are no longer valid.
kerberos_secrets() {
  local name
  [ ! -f "$kerberos/complete" ] || return 0
  rm -rf "$kerberos"
  mkdir -p "$kerberos/kdc" "$kerberos/tls"
  for name in krb5 kdc; do
    sed -e "s|@KDC@|$RXFLUME_KERBEROS_KDC|g" -e "s|@DATA@|$kerberos|g" "$parts/kerberos/$name.conf" >"$kerberos/$name.conf"
  done
  bash "$parts/secure/certificates.sh" "$kerberos/tls"
  openssl pkcs12 -export -in "$kerberos/tls/server.both.pem" -passout pass:for-tests -out "$kerberos/tls/server.p12"
  {
    kdb5_util create -s -r RXFLUME.TEST -P "$(head -c 18 /dev/urandom | base64)"
    for name in hdfs/localhost HTTP/localhost flume other; do echo "addprinc -randkey $name"; done | kadmin.local
    {
      echo "ktadd -k $kerberos/server.keytab hdfs/localhost HTTP/localhost"
      echo "ktadd -k $kerberos/stale.keytab flume"
      echo "ktadd -k $kerberos/flume.keytab flume"
      echo "ktadd -k $kerberos/other.keytab other"
    } | kadmin.local
  } >"$(log_of kdc)" 2>&1 </dev/null || fail_with_log kdc 'could not be made'
  touch "$kerberos/complete"
}

# The NameNode logs in to be formatted, so the KDC runs by then.
kerberos_format() {
  [ ! -f "$kerberos/formatted" ] || return 0
  "$java" "${short[@]}" "${kerberos_hadoop[@]}" org.apache.hadoop.hdfs.server.namenode.NameNode -format -force -nonInteractive \
    >"$(log_of namenode-kerberos)" 2>&1 </dev/null || fail_with_log namenode-kerberos 'could not be formatted'
  touch "$kerberos/formatted"
}

# As one of the users, without a kinit: a name in the keytab is enough.
kerberos_webhdfs() { # keytab method path query
  KRB5_CLIENT_KTNAME=$kerberos/$1.keytab KRB5CCNAME=MEMORY: http --negotiate -u : --cacert "$kerberos/tls/ca.pem" -X "$2" \
    "https://localhost:$RXFLUME_KERBEROS_NAMENODE_HTTPS/webhdfs/v1$3?$4"
}

kerberos_usable() {
  case $1 in
    kdc) (exec 3<>"/dev/tcp/127.0.0.1/$RXFLUME_KERBEROS_KDC") 2>/dev/null ;;
    namenode-kerberos) kerberos_webhdfs server GET / op=LISTSTATUS >/dev/null ;;
    datanode-kerberos) kerberos_webhdfs flume PUT /lake/.probe 'op=CREATE&overwrite=true&noredirect=true' | grep -q Location ;;
  esac
}

await_kerberos() { # service...
  local service deadline=$((SECONDS + wait_s))
  for service; do
    until kerberos_usable "$service"; do
      [ -n "$(pid_of "$service")" ] || { sleep 0.5 && [ -n "$(pid_of "$service")" ]; } || fail_with_log "$service" 'ended while it was starting'
      [ $SECONDS -lt $deadline ] || fail_with_log "$service" "was not usable after $wait_s s"
      sleep 0.3
    done
  done
}

kerberos_launch() { # service...
  local service
  for service; do
    [ -z "$(pid_of "$service")" ] || continue
    refuse_taken_ports "$service"
    case $service in
      kdc) detach kdc ;;
      namenode-kerberos) detach "$service" -Xmx320m -XX:TieredStopAtLevel=1 "${kerberos_hadoop[@]}" org.apache.hadoop.hdfs.server.namenode.NameNode ;;
      datanode-kerberos) detach "$service" -Xmx320m -XX:TieredStopAtLevel=1 "${kerberos_hadoop[@]}" org.apache.hadoop.hdfs.server.datanode.DataNode ;;
    esac
  done
}

kerberos_start() {
  one_at_a_time
  need_kerberos
  install hdfs
  install_kerberos
  kerberos_secrets
  kerberos_launch kdc
  await_kerberos kdc
  kerberos_format
  kerberos_launch namenode-kerberos datanode-kerberos
  await_kerberos namenode-kerberos
  kerberos_webhdfs server PUT /lake op=MKDIRS >/dev/null && kerberos_webhdfs server PUT /lake 'op=SETOWNER&owner=flume&group=flume' >/dev/null ||
    fail_with_log namenode-kerberos 'refused to make /lake'
  await_kerberos datanode-kerberos
  kerberos_env
}

kerberos_env() { env | grep '^RXFLUME_KERBEROS_' | sort; }

kerberos() { # command
  kerberos_environment
  case ${1-} in
    start) kerberos_start ;;
    stop) stop "${kerberos_services[@]}" && rm -rf "$kerberos" ;;
    env) kerberos_env ;;
    kill | pause | resume)
      case " ${kerberos_services[*]} " in *" ${2-} "*) ;; *) wrong_use "kerberos $1 takes one of ${kerberos_services[*]}" ;; esac
      case $1 in kill) send "$2" KILL ;; pause) send "$2" STOP ;; resume) send "$2" CONT ;; esac
      ;;
    *) wrong_use "kerberos knows start, stop, env, kill, pause and resume, not '${1-}'" ;;
  esac
}
