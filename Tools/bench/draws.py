"""`bench draws`: fills of one tensor in memory that was written before, against PyTorch.

Best of some repeats, ours and torch's in turn. PyTorch draws with one thread whatever it is given, so its GB/s are
also those with two.
"""
from programs import built_program, run

# Least ratio of one core that the project promises.
DRAWS = [
    ("uniform", "float32", 6), ("uniform", "float64", 6),
    ("uniform", "bfloat16", 4), ("uniform", "float16", 4),
    ("normal", "float32", 3), ("normal", "float64", 2),
    ("normal", "bfloat16", 4), ("normal", "float16", 4),
]
WIDTH = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
TORCH = """
import sys, time, torch
op, dtype, count, repeats = sys.argv[1], getattr(torch, sys.argv[2]), *map(int, sys.argv[3:])
torch.set_num_threads(1)
tensor = torch.ones(count, dtype=dtype)
draw = (lambda: tensor.uniform_(-0.1, 0.2)) if op == "uniform" else (lambda: tensor.normal_(0, 0.02))
best = 1e9
for _ in range(repeats + 1):
    start = time.perf_counter()
    draw()
    best = min(best, time.perf_counter() - start)
print(best)
"""


def draws(options):
    ours = built_program("DrawBench")
    for op, dtype, target in DRAWS:
        size = options.elements * WIDTH[dtype] / 1e9
        arguments = (op, dtype, options.elements)
        one = size / run(ours, *arguments, 1, options.repeats) * 1e9
        torch = size / run(options.python, "-c", TORCH, *arguments, options.repeats)
        two = size / run(ours, *arguments, 2, options.repeats) * 1e9
        yield {
            "draw": op, "dtype": dtype, "elements": options.elements,
            "ours_gb_per_s": round(one, 2), "ours_two_tasks_gb_per_s": round(two, 2),
            "torch_gb_per_s": round(torch, 2), "ratio": round(one / torch, 1), "target": target,
        }


def show(rows):
    print(f"{'GB/s':18} {'ours':>6} {'2 tasks':>8} {'torch':>6} {'ratio':>6}  target")
    for row in rows:
        yield row
        print(
            f"{row['draw']:8} {row['dtype']:9} {row['ours_gb_per_s']:6.2f} "
            f"{row['ours_two_tasks_gb_per_s']:8.2f} {row['torch_gb_per_s']:6.2f} "
            f"{row['ratio']:5.1f}x  {row['target']:5}x", flush=True)
