"""The model card's text; the evaluation writes its figures between the two markers."""

FIGURES_BEGIN, FIGURES_END = "<!-- figures: begin -->", "<!-- figures: end -->"

CARD = f"""---
license: gpl-3.0
library_name: transformers
pipeline_tag: object-detection
---

# starter: finds QR codes, barcodes, Data Matrix, Aztec and PDF417

The model that ships with detrdesk, so that the program works on a machine that never sees the internet. It is a small
stock `DetrForObjectDetection` (a ResNet of basic blocks to stride 16, two encoder and three decoder layers, 25
queries, 2.3 million parameters with 16-bit weights, computed in f32) and loads with `transformers` alone. `openvino/`
holds the same model converted for OpenVINO, which detrdesk uses from the first launch:

```python
from transformers import DetrForObjectDetection, DetrImageProcessorPil

processor = DetrImageProcessorPil.from_pretrained("resources/starter")
model = DetrForObjectDetection.from_pretrained("resources/starter")
```

## What it finds

`qr_code`, `barcode` (EAN, UPC, Code 128, Code 39, Code 93, ITF, Codabar, DataBar), `data_matrix`, `aztec`, `pdf417`:
on labels, packages, posters, documents and screens, at any angle, from about a tenth of the frame's short side up to
the whole frame. A box surrounds the modules or bars, without the quiet zone and the printed digits. Scores are set so
that 0.3 finds most and above 0.7 is seldom wrong; 0.4 is a good start.

## What it cannot do

It does not read codes. It misses codes that are small in the frame (crop closer), and codes of which less than about
60 % shows. Micro QR, rMQR, MaxiCode, stacked DataBar, MicroPDF417 and postal codes were never shown to it. Dense
regular print can fool it. At most 25 codes in a picture.

## How it does

{FIGURES_BEGIN}
Not evaluated yet.
{FIGURES_END}

We aim at AP50 0.90 and AP 0.65; where the figures are below, training was cut short. What is missed is mostly small:
codes under a fifth of the frame's short side. Every image is stretched to 352 x 352 pixels: the model was trained on
such squares only, and its boxes are loose at any other size.

## How it was made

`tools/starter_model/` renders the scenes, trains, exports and evaluates with one seeded command; its README says how.
All scenes are renderings of ours: symbols drawn by zxing-cpp, type set in free fonts, procedural surfaces; the public
pictures that come inside scikit-image and scikit-learn serve as backgrounds. No photo of a code was used in training.

## Licence

GPL-3.0-or-later, as detrdesk itself.
"""
