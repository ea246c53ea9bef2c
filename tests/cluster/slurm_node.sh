#!/usr/bin/env bash
# A Slurm of this one machine, for tests: real daemons, Debian's packages, no systemd.
#
#   slurm_node.sh prepare FOLDER --accounting           only installs what `up` would, so that later nothing waits for apt
#   slurm_node.sh up FOLDER [--accounting] [--gpus N]   settings, state, logs and process ids lie in FOLDER
#   slurm_node.sh down FOLDER                           ends what `up` began
#
# Wants root on Debian, and no other Slurm: /etc/slurm/slurm.conf becomes a link into FOLDER (SLURM_CONF would not do:
# Snakemake's jobs call srun without it). --accounting also brings a data base and slurmdbd, so that sacct answers;
# --gpus N pretends that the node has so many.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

# Until a command succeeds; after half a minute this script does not.
await() {
    for _ in $(seq 150); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.2
    done
    echo "$* never succeeded; see the logs in $folder" >&2
    exit 4
}

# A daemon that stays in the foreground, ours to end.
begin() {
    local name=$1
    shift
    setsid nohup "$@" > "$folder/$name.out" 2>&1 < /dev/null &
    echo $! > "$folder/$name.pid"
}

settings() {
    local cpus memory host
    host=$(hostname -s)
    cpus=$(nproc)
    memory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024 - 1024))
    cat > "$folder/slurm.conf" << CONF
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.own.pid
SlurmdPidFile=$folder/slurmd.own.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000
MinJobAge=300
SlurmctldTimeout=30
SlurmdTimeout=30
InactiveLimit=0
KillWait=2
$(if [[ $accounting ]]; then
    printf '%s\n' AccountingStorageType=accounting_storage/slurmdbd AccountingStorageHost=127.0.0.1
    printf '%s\n' "AccountingStoragePass=$folder/munge.socket" AccountingStoreFlags=job_comment \
        AccountingStorageTRES=gres/gpu \
        JobAcctGatherType=jobacct_gather/linux
else
    printf '%s\n' AccountingStorageType=accounting_storage/none JobAcctGatherType=jobacct_gather/none
fi)
$([[ $gpus -gt 0 ]] && echo GresTypes=gpu)
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory $([[ $gpus -gt 0 ]] && echo "Gres=gpu:$gpus") State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
    [[ $gpus -gt 0 ]] && echo "Name=gpu File=/dev/null Count=$gpus" > "$folder/gres.conf"
    return 0
}

data_base() {
    cat > "$folder/slurmdbd.conf" << CONF
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
SlurmUser=root
LogFile=$folder/slurmdbd.log
PidFile=$folder/slurmdbd.own.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=33066
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm_acct_db
CONF
    chmod 600 "$folder/slurmdbd.conf"
    mariadb-install-db --no-defaults --user=root --datadir="$folder/data" --auth-root-authentication-method=socket \
        --skip-test-db > "$folder/mariadb-install.log" 2>&1
    begin mariadb mariadbd --no-defaults --user=root --datadir="$folder/data" --socket="$folder/mariadb.socket" \
        --bind-address=127.0.0.1 --port=33066 --innodb-buffer-pool-size=64M --innodb-log-file-size=16M
    await mariadb --no-defaults --socket="$folder/mariadb.socket" -e 'select 1'
    mariadb --no-defaults --socket="$folder/mariadb.socket" -e \
        "create database slurm_acct_db; grant all on slurm_acct_db.* to 'slurm'@'127.0.0.1' identified by 'slurm';
         grant all on slurm_acct_db.* to 'slurm'@'localhost' identified by 'slurm';"
    begin slurmdbd env SLURM_CONF="$folder/slurm.conf" slurmdbd -D
    await sacctmgr --noheader show cluster
}

prepare() {
    on_debian_as_root "Slurm's daemons"
    [[ -e $link && ! -L $link ]] && { echo "this machine has a Slurm of its own: $link" >&2; exit 2; }
    install -d -m 0755 "$folder" "$folder/state" "$folder/spool" "$(dirname $link)"
    # shellcheck disable=SC2046  # a list of words
    install_packages slurm-wlm munge $([[ $accounting ]] && echo slurmdbd mariadb-server)
}

up() {
    prepare
    settings
    ln -sfn "$folder/slurm.conf" $link
    (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
    begin munged munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --log-file="$folder/munged.log" --pid-file="$folder/munged.own.pid" --seed-file="$folder/munged.seed"
    await test -S "$folder/munge.socket"
    [[ $accounting ]] && data_base
    begin slurmctld slurmctld -D -f "$folder/slurm.conf"
    await sh -c 'scontrol ping | grep -q UP'
    begin slurmd slurmd -D -f "$folder/slurm.conf"
    await sh -c 'sinfo --noheader --format=%T | grep -q idle'
}

down() {
    local name pid
    # Jobs first: without daemons nobody would end them.
    if [[ -s $folder/slurmctld.pid ]]; then
        timeout 10 scancel --user="$(id -un)" 2> /dev/null || true
        for _ in $(seq 50); do [[ -z $(timeout 5 squeue --noheader 2> /dev/null) ]] && break; sleep 0.2; done
    fi
    for name in slurmd slurmctld slurmdbd mariadb munged; do
        [[ -s $folder/$name.pid ]] || continue
        pid=$(< "$folder/$name.pid")
        kill "$pid" 2> /dev/null || true
        for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null || true
        rm -f "$folder/$name.pid"
    done
    [[ $(readlink $link) == "$folder/slurm.conf" ]] && rm -f $link
    return 0
}

link=/etc/slurm/slurm.conf
action=${1:?prepare, up or down} folder=${2:?a folder for settings, state and logs} accounting='' gpus=0
shift 2
while [[ $# -gt 0 ]]; do
    case $1 in
        --accounting) accounting=1 ;;
        --gpus) gpus=$2; shift ;;
        *) echo "unknown: $1" >&2; exit 1 ;;
    esac
    shift
done
folder=$(realpath --canonicalize-missing "$folder")
export PATH="$PATH:/usr/sbin:/sbin"
"$action"
