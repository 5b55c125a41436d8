"""The Hugging Face Hub: models found there, models brought from there."""
