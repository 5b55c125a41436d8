"""The plain way: detections of one image by transformers alone."""

import sys

from PIL import Image, ImageOps
from transformers import AutoImageProcessor, AutoModelForObjectDetection

folder, path = sys.argv[1:]
processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
model = AutoModelForObjectDetection.from_pretrained(folder).eval()
image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
outputs = model(**processor(images=image, return_tensors="pt"))
found = processor.post_process_object_detection(outputs, 0.5, [(image.height, image.width)])[0]
for score, label, box in zip(found["scores"], found["labels"], found["boxes"], strict=True):
    print(model.config.id2label[label.item()], f"{score.item():.2f}", box.tolist())
