"""The model that ships, and the same model dressed for training: real batch norm, query groups, dense predictions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig
from transformers.models.detr.modeling_detr import DetrFrozenBatchNorm2d

from .codes import CLASSES

STRIDE = 16
SIDE = 352  # pixels; every image is stretched to this square
QUERIES = 25
GRID = 5  # queries start on a GRID x GRID lattice of the frame
IMAGE_MEAN, IMAGE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LANES = 8  # dimensions per axis, those of the shortest waves, that carry position in the cross-attention at the start


def configuration() -> DetrConfig:
    """The shipped architecture: a stock DETR on a small stride-16 ResNet."""
    backbone = ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64, 144], depths=[1, 2, 3], layer_type="basic", out_features=["stage3"]
    )
    names = dict(enumerate(CLASSES))
    return DetrConfig(
        use_timm_backbone=False, backbone_config=backbone, d_model=128, num_queries=QUERIES,
        encoder_layers=2, decoder_layers=3, encoder_ffn_dim=384, decoder_ffn_dim=384,
        encoder_attention_heads=8, decoder_attention_heads=8, dropout=0.0, auxiliary_loss=False,
        id2label=names, label2id={name: number for number, name in names.items()},
    )  # fmt: skip


def thaw_batch_norm(module: nn.Module) -> None:
    """Puts `nn.BatchNorm2d` in place of every frozen one; weights, statistics and key names stay."""
    for name, child in module.named_children():
        if isinstance(child, DetrFrozenBatchNorm2d):
            norm = nn.BatchNorm2d(len(child.weight), momentum=0.03)
            norm.load_state_dict({**child.state_dict(), "num_batches_tracked": torch.tensor(0)})
            setattr(module, name, norm)
        else:
            thaw_batch_norm(child)


def stock_model(weights: dict[str, Tensor]) -> DetrForObjectDetection:
    """The shipped model in evaluation mode with a trainee's weights and stock frozen batch norm."""
    model = DetrForObjectDetection(configuration())
    kept = {name: value.float() for name, value in weights.items() if not name.endswith("num_batches_tracked")}
    model.load_state_dict(kept)
    return model.eval()


@dataclass
class Predictions:
    """Logits (..., classes + 1) and boxes (..., 4), centre and size in 0..1, of one or several layers."""

    logits: Tensor
    boxes: Tensor


@dataclass
class Answers:
    """What a trainee says of a batch: `layers` (layer, image, group * query), `memory` and `cells` (image, cell)."""

    layers: Predictions | None
    memory: Predictions
    cells: Predictions


class Trainee(nn.Module):
    """A DETR with `groups` sets of queries (the first one ships) and two dense helpers that speed up its training.

    Every cell of the encoder's memory is read by the decoder's own heads, so that the memory knows classes and boxes
    before the decoder learns to pick from it; a 1x1 head on the backbone does the same without any attention.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.detr = DetrForObjectDetection(configuration())
        self.groups = groups
        thaw_batch_norm(self.detr)
        for parameter in self.detr.parameters():
            parameter.requires_grad_(True)
        width = self.detr.config.d_model
        self.cell_head = nn.Linear(width, len(CLASSES) + 5)
        self.more_queries = nn.Embedding(QUERIES * (groups - 1), width)
        self.register_buffer("mean", torch.tensor(IMAGE_MEAN).reshape(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("scale", 1 / (torch.tensor(IMAGE_STD).reshape(1, 3, 1, 1) * 255), persistent=False)
        self._give_places()

    def forward(self, pixels: Tensor, decode: bool = True) -> Answers:
        """Answers for RGB uint8 `pixels` (n, height, width, 3); `decode` False leaves the decoder out."""
        model, heads = self.detr.model, self._heads
        images = (pixels.permute(0, 3, 1, 2).float() - self.mean) * self.scale
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):
            features = model.backbone.model(images).feature_maps[-1]
        features = features.float()
        size = features.shape[-2:]
        memory = model.input_projection(features).flatten(2).transpose(1, 2)
        cells = self._read_cells(memory, *size)
        places = model.position_embedding(features.shape, features.device, torch.float32).flatten(2).transpose(1, 2)
        for layer in model.encoder.layers:
            memory = layer(memory, None, spatial_position_embeddings=places)
        dense = heads(model.decoder.layernorm(memory))
        return Answers(self._decode(memory, places) if decode else None, dense, cells)

    def _heads(self, hidden: Tensor) -> Predictions:
        logits, boxes = self.detr.class_labels_classifier(hidden), self.detr.bbox_predictor(hidden)
        return Predictions(logits.float(), boxes.float().sigmoid())

    def _decode(self, memory: Tensor, places: Tensor) -> Predictions:
        model = self.detr.model
        table = torch.cat([model.query_position_embeddings.weight, self.more_queries.weight])
        queries = table.expand(len(memory), -1, -1)
        group = torch.arange(len(table)) // QUERIES
        apart = torch.where(group[:, None] == group[None], 0.0, float("-inf"))[None, None]
        hidden, states = torch.zeros_like(queries), []
        for layer in model.decoder.layers:
            hidden = layer(hidden, apart, places, queries, memory)
            states.append(model.decoder.layernorm(hidden))
        return self._heads(torch.stack(states))

    def _read_cells(self, features: Tensor, height: int, width: int) -> Predictions:
        answer = self.cell_head(features).float()
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        centre = torch.stack([(columns + 0.5) / width, (rows + 0.5) / height], -1).reshape(1, -1, 2)
        shift, spread = answer[..., -4:-2] * 0.1, (answer[..., -2:].clamp(-4, 4) - 1.5).exp()
        return Predictions(answer[..., :-4], torch.cat([centre + shift, spread], -1))

    @torch.no_grad()
    def _give_places(self) -> None:
        """Starts every query at a place of its own: its embedding is that place's, and cross-attention looks there."""
        model, width = self.detr.model, self.detr.config.d_model
        lattice = (torch.arange(GRID) + 0.5) / GRID
        anchors = torch.stack(torch.meshgrid(lattice, lattice, indexing="ij"), -1).reshape(-1, 2)
        jitter = (torch.rand(self.groups - 1, QUERIES, 2) - 0.5) / GRID
        model.query_position_embeddings.weight.copy_(_place_embedding(anchors, width))
        self.more_queries.weight.copy_(_place_embedding((anchors + jitter).reshape(-1, 2), width))
        lanes = torch.cat([torch.arange(LANES), torch.arange(LANES) + width // 2])
        heads = self.detr.config.decoder_attention_heads
        for layer in model.decoder.layers:
            attention = layer.encoder_attn
            pick = torch.zeros(width, width)
            for head in range(heads):
                pick[torch.arange(2 * LANES) + head * 2 * LANES, lanes] = 4.5 if head % 2 == 0 else 2.2
            for projection in (attention.q_proj, attention.k_proj):
                projection.weight.mul_(0.5)[:, lanes] = 0
                projection.weight.add_(pick)
            for projection in (attention.v_proj, attention.o_proj):
                projection.weight.mul_(0.2).add_(torch.eye(width))
            layer.self_attn_layer_norm.weight[lanes] = 0.1
        model.encoder.layers[-1].final_layer_norm.weight[lanes] = 0.1


def _place_embedding(places: Tensor, width: int) -> Tensor:
    """DETR's sine embedding of (row, column) `places` in 0..1, (n, width)."""
    index = torch.arange(width // 2)
    waves = 10000 ** (2 * (index // 2) / (width // 2))
    angles = places[..., None] * 2 * torch.pi / waves
    return torch.where(index % 2 == 0, angles.sin(), angles.cos()).flatten(1)
