#!/bin/bash
#SBATCH --job-name=ckpt-verify
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=00:30:00
# Reads all of two copies of a checkpoint, verifies their checksums, and compares them byte by byte.
#   sbatch verify-copies.sh /scratch/model.ckz /archive/model.ckz
# The job's status is 0 if both are intact and equal, 1 if they differ, and 2 if one is damaged.
set -euo pipefail
run() { srun --mpi=pmix --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" "$@"; }

run ckpt check "$1" "$2"
run ckpt diff "$1" "$2"
