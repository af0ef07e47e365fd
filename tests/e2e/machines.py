"""A dataset that is about no loans: machines in plants, and whether they broke."""
from harness import DATA, DEPLOYMENT, EVALUATION, SCORING

MACHINES_DATA, MACHINES_EVALUATION, MACHINES_DEPLOYMENT, MACHINES_SCORING = (f"machines__{dag}" for dag in (DATA, EVALUATION, DEPLOYMENT, SCORING))
SMALL = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, LEARNING_RATE=0.01, BATCH_SIZE=16)
SPEC = """name = "machines"
columns = [
  { name = "machine", type = "text" }, { name = "plant", type = "text" }, { name = "seen", type = "date" },
  { name = "heat", type = "number" }, { name = "maker", type = "text" }, { name = "broken", type = "text" },
]
[target]
column = "broken"
positive = true
"""
ROLES = '[roles]\nid = "machine"\ngroup = "plant"\ntime = "seen"\n'
