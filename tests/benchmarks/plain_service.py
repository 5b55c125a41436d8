"""The plain way: a service of FastAPI and transformers that calls the model in the event loop."""

import base64
import io
import sys

import torch
import uvicorn
from fastapi import FastAPI, Header
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection

folder, port = sys.argv[1:]
processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
model = AutoModelForObjectDetection.from_pretrained(folder).eval()
app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.post("/v1/vision/detections")
async def detections(body: dict, x_detr_threshold: float = Header(0.9)):
    predictions = []
    for index, part in enumerate(body["messages"][-1]["content"]):
        data = base64.b64decode(part["image_url"]["url"])
        image = Image.open(io.BytesIO(data)).convert("RGB")
        with torch.no_grad():
            outputs = model(**processor(images=image, return_tensors="pt"))
        size = [(image.height, image.width)]
        found = processor.post_process_object_detection(outputs, x_detr_threshold, size)[0]
        result = [
            {"score": score.item(), "label": model.config.id2label[label.item()], "bbox": box.tolist()}
            for score, label, box in zip(found["scores"], found["labels"], found["boxes"], strict=True)
        ]
        predictions.append({"index": index, "result": result})
    return {"object": "detection", "predictions": predictions}


uvicorn.run(app, port=int(port), log_level="warning")
