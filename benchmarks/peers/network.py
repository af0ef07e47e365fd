"""The Python stack's network in PyTorch: the peer of src/nn. Loads the same checkpoints under the same names."""
import torch
import torch.nn as nn


class Encoder(nn.Module):
    def __init__(self, cardinalities, numeric, width, heads, layers, feed_forward, dropout):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(c, width) for c in cardinalities)
        self.numeric_embeddings = nn.ModuleList(nn.Linear(1, width) for _ in range(numeric))
        layer = nn.TransformerEncoderLayer(width, heads, feed_forward, dropout, batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, codes, numbers):
        tokens = [m(codes[:, i])[:, None] for i, m in enumerate(self.embeddings)]
        tokens += [m(numbers[:, i : i + 1])[:, None] for i, m in enumerate(self.numeric_embeddings)]
        return self.transformer(torch.cat(tokens, 1))


class Classifier(nn.Module):
    def __init__(self, state, dropout):
        """`state`: the state dict of a classifier checkpoint; its sizes are read from it."""
        super().__init__()
        cardinalities = [v.shape[0] for k, v in state.items() if k.startswith("encoder.embeddings.")]
        numeric = sum(k.startswith("encoder.numeric_embeddings.") and k.endswith(".weight") for k in state)
        layers = 1 + max(int(k.split(".")[3]) for k in state if k.startswith("encoder.transformer.layers."))
        feed_forward, width = state["encoder.transformer.layers.0.linear1.weight"].shape
        hidden = state["fc.0.weight"].shape[0]
        self.encoder = Encoder(cardinalities, numeric, width, 4, layers, feed_forward, dropout)
        self.fc = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 2))
        self.load_state_dict(state)

    def forward(self, codes, numbers):
        return self.fc(self.encoder(codes, numbers).mean(1))


def load_state(path):
    checkpoint = torch.load(path, weights_only=True)
    return checkpoint.get("model_state_dict", checkpoint)
