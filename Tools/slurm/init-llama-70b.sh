#!/bin/bash
#SBATCH --job-name=ckpt-init
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=00:30:00
# Initializes a Llama of 70 billion parameters, 141 GB in bfloat16, from the text of print(model).
#   sbatch init-llama-70b.sh llama-70b.txt /shared/llama-70b/model.safetensors
# A file is written by all ranks together; 'ckpt convert --shard-size' divides it for loaders of transformers.
set -euo pipefail
model=$1
output=$2
run() { srun --mpi=pmix --kill-on-bad-exit=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" "$@"; }

mkdir -p "$(dirname "$output")"
run ckpt init "$model" --seed 0 --library transformers --dtype bfloat16 --allow-large -o "$output"
run ckpt convert "$output" "${output%.safetensors}-sharded.safetensors" --shard-size 5GB
