#!/bin/bash
#SBATCH --job-name=ckpt-consolidate
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --cpus-per-task=4
#SBATCH --time=01:00:00
# Joins a folder of torch.distributed.checkpoint to safetensors shards in bfloat16, and reads them again.
#   sbatch consolidate.sh /shared/run/step-10000 /shared/run/step-10000-hf model
# The last word is the part of the checkpoint that is the model; 'ckpt ls --keys FOLDER' lists the parts.
set -euo pipefail
folder=$1
output=$2
key=$3
run() { srun --mpi=pmix --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" "$@"; }

mkdir -p "$output"
run ckpt convert "$folder" "$output/model.safetensors" --key "$key" --dtype bfloat16 --shard-size 5GB
run ckpt check "$output/model.safetensors.index.json"
