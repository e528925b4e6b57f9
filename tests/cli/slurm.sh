# Sourced after tap.sh: a Slurm of its own, with two nodes on this machine, as the user who runs the test.
#   slurm_missing          → what is not installed, in words; nothing where a Slurm can be started
#   start_slurm            starts munged, slurmctld and two slurmd, and waits until both nodes are idle; fails
#                          where they are not after a minute. Their files and logs are in $dir/slurm
#   stop_slurm             ends them, and what they started. Call it at exit; where the test is killed, a process
#                          that watches it does the same
#   until_true SECONDS COMMAND…   repeats a command until it succeeds, or fails after that time
# Partitions: `low`, whose jobs are requeued for those of `high`. The nodes share this machine's file system, as
# those of a cluster share theirs.
slurm=$dir/slurm
helper=

# Debian keeps the daemons in /usr/sbin, which a user's PATH may lack.
slurm_missing() {
    PATH=$PATH:/usr/sbin:/sbin
    for program in munged slurmctld slurmd sbatch squeue scancel scontrol; do
        command -v $program >/dev/null || { echo "$program is not installed (Debian: slurm-wlm, munge)"; return; }
    done
}

until_true() {
    ends=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$ends" ] || return 1
        sleep 0.2
    done
}

# Three ports that nothing listens on, from one that follows from the process.
free_ports() {
    first=$((20000 + $$ % 20000))
    while ss -Hltn 2>/dev/null | grep -qE ":($first|$((first + 1))|$((first + 2))) "; do first=$((first + 3)); done
    echo $first
}

write_slurm_conf() {
    port=$(free_ports)
    host=$(hostname -s)
    cat >"$slurm/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
SlurmctldPort=$port
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd-%n.pid
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool-%n
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd-%n.log
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000,bf_interval=1,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=20
FirstJobId=2001
ReturnToService=2
SlurmdTimeout=300
NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1
NodeName=two NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1
PartitionName=low Nodes=one,two Default=YES MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=one,two MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
CONF
    : >"$slurm/cgroup.conf"
}

both_idle() { [ "$(sinfo -h -p low -N -t idle -o %N | sort -u | wc -l)" -eq 2 ]; }

start_slurm() {
    mkdir -p "$slurm/state" "$slurm/spool-one" "$slurm/spool-two"
    chmod 700 "$slurm"
    write_slurm_conf
    export SLURM_CONF="$slurm/slurm.conf"
    head -c 1024 /dev/urandom >"$slurm/munge.key"
    chmod 400 "$slurm/munge.key"
    munged --foreground --force --key-file="$slurm/munge.key" --socket="$slurm/munge.socket" \
        --pid-file="$slurm/munged.pid" --log-file="$slurm/munged.log" --seed-file="$slurm/munged.seed" \
        >"$slurm/munged.out" 2>&1 &
    hurry &
    helper=$!
    end_with_the_test & # after $helper, which it ends
    until_true 20 test -S "$slurm/munge.socket" || return 1
    slurmctld -D -i >"$slurm/slurmctld.out" 2>&1 &
    for node in one two; do
        slurmd -D -N $node >"$slurm/slurmd-$node.out" 2>&1 &
    done
    until_true 60 both_idle
}

# Slurm lets a task that was requeued wait for two minutes. Two seconds are enough, and nothing is not: slurmd compares
# the task's new credential with the time in whole seconds at which it revoked the old one, and does not start what
# is not later ("already killed, do not launch batch job"), so that the task fails.
hurry() {
    seen=
    while kill -0 $$ 2>/dev/null; do
        new=
        for task in $(squeue -h -r -t PENDING -o '%i %r' | sed -n 's/ BeginTime$//p'); do
            case " $seen " in
                *" $task "*) scontrol update JobId="$task" StartTime=now ;;
                *) new="$new $task" ;;
            esac
        done
        seen=$new
        sleep 2
    done >/dev/null 2>&1
}

# The processes of this Slurm, with its jobs: their environment has its configuration, or they are munged.
of_this_slurm() {
    for process in /proc/[0-9]*; do
        pid=${process#/proc/}
        case $(readlink "$process/exe") in */slurm*|*/munged|"$(readlink -f "$aniso")") ;; *) continue ;; esac
        { tr '\0' '\n' <"$process/environ"; } 2>/dev/null | grep -qxF "SLURM_CONF=$slurm/slurm.conf" && echo "$pid"
    done 2>/dev/null
}

stop_slurm() {
    [ -n "$helper" ] || return 0
    kill "$helper" 2>/dev/null
    helper=
    for signal in TERM KILL; do
        for pid in $(of_this_slurm); do kill -$signal "$pid" 2>/dev/null; done
        until_true 5 no_process && return
    done
}

no_process() { [ -z "$(of_this_slurm)" ]; }

end_with_the_test() {
    trap '' INT HUP TERM
    while kill -0 $$ 2>/dev/null; do sleep 1; done
    stop_slurm
    rm -rf "$dir"
}
