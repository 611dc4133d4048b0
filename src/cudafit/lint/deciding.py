"""The packages whose installed version decides what code does, by the names of their distributions."""

DECIDING = (
    "transformers",
    "lightning",
    "pytorch-lightning",
    "onnxruntime-gpu",
    "onnxruntime",
    "xgboost",
    "lightgbm",
    "keras",
)
