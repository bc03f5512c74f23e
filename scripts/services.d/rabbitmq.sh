# shellcheck shell=bash disable=SC2154
# RabbitMQ of Debian's package, in the services' folder and on ports of its own. Read by with-java.sh.

rabbitmq_bin=/usr/lib/rabbitmq/bin

has_rabbitmq() { [ -x $rabbitmq_bin/rabbitmq-server ]; }

install_rabbitmq() { has_rabbitmq || need rabbitmq-server 'RabbitMQ is missing; 3.10 is the one that is tried'; }

# The package's scripts split some of these at blanks, so that what is found again in the command line is a number.
rabbitmq_mark() { printf %s "$dir" | cksum | cut -d ' ' -f 1; }

# Nothing of this node's is in /var or /etc, and epmd, Erlang's register of nodes, is one of its own.
rabbitmq_environment() {
  export HOME=$dir/data/rabbitmq
  export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE=$parts/rabbitmq/rabbitmq.conf
  export RABBITMQ_ENABLED_PLUGINS_FILE=$HOME/enabled_plugins RABBITMQ_GENERATED_CONFIG_DIR=$HOME/config
  export RABBITMQ_MNESIA_BASE=$HOME/mnesia RABBITMQ_LOG_BASE=$HOME/log RABBITMQ_PID_FILE=$HOME/pid
  export RABBITMQ_NODENAME=rxflume@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1
  export RABBITMQ_NODE_PORT=$RXFLUME_RABBITMQ_PORT RABBITMQ_DIST_PORT=$RXFLUME_RABBITMQ_DIST_PORT
  export ERL_EPMD_PORT=$RXFLUME_RABBITMQ_EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
  # Without a shell around it that waits for it; and its idle threads sleep at once.
  export RUNNING_UNDER_SYSTEMD=true
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none -Drxflume.service=rabbitmq@$(rabbitmq_mark)"
}

rabbitmq_tool() { # argument...
  rabbitmq_environment
  exec $rabbitmq_bin/rabbitmqctl --quiet "$@"
}

end_epmd() { ! command -v epmd >/dev/null || ERL_EPMD_PORT=$RXFLUME_RABBITMQ_EPMD_PORT epmd -kill >/dev/null 2>&1 || true; }
