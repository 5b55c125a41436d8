"""The Hugging Face Hub: search and downloads."""
